//go:build aws

package secretsmanager_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	service "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/vault"
	"github.com/bookplate/bookplate/shared/vault/secretsmanager"
	"github.com/bookplate/bookplate/shared/vault/vaulttest"
)

const prefix = "bookplate/test/"

func TestContract(t *testing.T) {
	v := secretsmanager.New(emulators.Moto(t), "bookplate/contract/")
	vaulttest.Run(t, func(*testing.T) vault.Vault { return v })
}

// Each of these begins and ends with nothing in the vault.
func TestWhatSecretsManagerDemands(t *testing.T) {
	cfg, wire := emulators.Tap(t, emulators.Moto(t))
	v := secretsmanager.New(cfg, prefix)
	for name, test := range map[string]func(*scene){
		"every version has a label":                         labels,
		"a secret that is full goes on in another":          shelves,
		"a lost answer is found out by repeating":           lostAnswers,
		"a secret that is being deleted is absent":          beingDeleted,
		"a secret is encrypted with the key that was named": encrypted,
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{t, v, wire, cfg}
			test(s)
			s.must(v.Delete(t.Context(), "token"))
			if left := s.names(); len(left) != 0 || wire.Left() != 0 {
				t.Errorf("left %v, %d faults", left, wire.Left())
			}
		})
	}
}

type scene struct {
	*testing.T
	vault secretsmanager.Vault
	wire  *emulators.Wire
	cfg   aws.Config
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func secret(i int) vault.Secret { return vault.NewSecret(fmt.Sprint("made-up-", i)) }

// names are those of all secrets that Secrets Manager has.
func (s *scene) names() []string {
	s.Helper()
	out, err := service.NewFromConfig(s.cfg).ListSecrets(s.Context(), &service.ListSecretsInput{})
	s.must(err)
	var list []string
	for _, found := range out.SecretList {
		list = append(list, *found.Name)
	}
	slices.Sort(list)
	return list
}

// Secrets Manager drops a version that has no label. With labels, there may be twenty.
func labels(s *scene) {
	for i := range 20 {
		s.must(s.vault.Put(s.Context(), "token", fmt.Sprintf("00000000-0000-4000-8000-%012d", i), secret(i)))
	}
	name := prefix + "token"
	out, err := service.NewFromConfig(s.cfg).DescribeSecret(s.Context(), &service.DescribeSecretInput{SecretId: &name})
	s.must(err)
	seen := map[string]bool{}
	for version, stages := range out.VersionIdsToStages {
		if len(stages) != 1 {
			s.Errorf("version %s has the labels %v", version, stages)
		}
		seen[strings.Join(stages, "")] = true
	}
	if len(out.VersionIdsToStages) != 20 || len(seen) != 20 || !seen["AWSCURRENT"] {
		s.Errorf("versions and labels %v", out.VersionIdsToStages)
	}
}

// full is the answer of a secret that has twenty labels.
func full() emulators.Fault { return emulators.Refusal("PutSecretValue", "LimitExceededException", "") }

func shelves(s *scene) {
	s.must(s.vault.Put(s.Context(), "token", "v1", secret(1)))
	for i := 2; i <= 4; i++ { // v2 goes to the second, v3 too, v4 to the third
		s.wire.Next(full())
		if i == 4 {
			s.wire.Next(full())
		}
		s.must(s.vault.Put(s.Context(), "token", fmt.Sprint("v", i), secret(i)))
	}
	want := []string{prefix + "token", prefix + "token/2", prefix + "token/3"}
	if got := s.names(); !slices.Equal(got, want) {
		s.Errorf("secrets %v", got)
	}
	for i := 1; i <= 4; i++ {
		got, err := s.vault.Get(s.Context(), "token", fmt.Sprint("v", i))
		if err != nil || got.Reveal() != secret(i).Reveal() {
			s.Errorf("v%d: %q, %v", i, got.Reveal(), err)
		}
	}
	if _, err := s.vault.Get(s.Context(), "token", "v5"); !errors.Is(err, vault.ErrAbsent) {
		s.Errorf("v5: %v", err)
	}

	// A full secret still knows its own versions.
	s.wire.Next(full())
	s.must(s.vault.Put(s.Context(), "token", "v1", secret(1)))
	s.wire.Next(full())
	if err := s.vault.Put(s.Context(), "token", "v1", secret(9)); !errors.Is(err, vault.ErrTaken) {
		s.Errorf("other content: %v", err)
	}
}

func lostAnswers(s *scene) {
	for _, obey := range []bool{false, true} {
		const name = "token"
		s.wire.Next(emulators.Fault{Operation: "CreateSecret", Obey: obey})
		s.must(s.vault.Put(s.Context(), name, "v1", secret(1)))
		s.wire.Next(emulators.Fault{Operation: "PutSecretValue", Obey: obey})
		s.must(s.vault.Put(s.Context(), name, "v2", secret(2)))
		for n := 1; n <= 2; n++ {
			got, err := s.vault.Get(s.Context(), name, fmt.Sprint("v", n))
			if err != nil || got.Reveal() != secret(n).Reveal() {
				s.Errorf("obeyed %v: v%d: %q, %v", obey, n, got.Reveal(), err)
			}
		}
		s.wire.Next(emulators.Fault{Operation: "DeleteSecret", Obey: obey})
		s.must(s.vault.Delete(s.Context(), name))
	}
}

func beingDeleted(s *scene) {
	s.must(s.vault.Put(s.Context(), "token", "v1", secret(1)))
	s.wire.Next(emulators.Refusal("GetSecretValue", "InvalidRequestException", ""))
	if _, err := s.vault.Get(s.Context(), "token", "v1"); !errors.Is(err, vault.ErrAbsent) {
		s.Errorf("got %v", err)
	}
}

func encrypted(s *scene) {
	const key = "arn:aws:kms:eu-central-1:123456789012:key/made-up"
	for _, want := range []string{"", key} {
		s.vault.Key = want
		var sent struct{ KmsKeyId string }
		s.wire.Next(emulators.Fault{Operation: "CreateSecret", Change: func(body string) string {
			s.must(json.Unmarshal([]byte(body), &sent))
			return body
		}})
		s.must(s.vault.Put(s.Context(), "token", "v1", secret(1)))
		if sent.KmsKeyId != want {
			s.Errorf("sent key %q, want %q", sent.KmsKeyId, want)
		}
		s.must(s.vault.Delete(s.Context(), "token"))
	}
}
