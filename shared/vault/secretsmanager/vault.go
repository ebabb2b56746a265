package secretsmanager

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/bookplate/bookplate/shared/vault"
)

// Reader is the reading half, for functions that have no right to write. Safe for concurrent use.
type Reader struct {
	client *secretsmanager.Client
	prefix string
}

// Vault is the whole engine. Safe for concurrent use.
type Vault struct {
	*Reader
	// Key is the KMS key that new secrets are encrypted with; empty is the account's own.
	Key string
}

var (
	_ vault.Reader = (*Reader)(nil)
	_ vault.Vault  = Vault{}
)

// NewReader returns the reading half. The prefix goes before each name, e.g. "bookplate/prod/"; template.yaml's rights
// end there.
func NewReader(cfg aws.Config, prefix string) *Reader {
	return &Reader{secretsmanager.NewFromConfig(cfg, repeating), prefix}
}

// repeating is how the SDK repeats requests: as it does by itself, but not what a full secret refuses, which it takes for
// throttling by its name.
func repeating(o *secretsmanager.Options) {
	full := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		if isCode(err, codeFull) {
			return aws.FalseTernary
		}
		return aws.UnknownTernary
	})
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.Retryables = append([]retry.IsErrorRetryable{full}, s.Retryables...)
		s.MaxBackoff = longestPause
	})
}

// New returns the vault, without a key of its own.
func New(cfg aws.Config, prefix string) Vault { return Vault{Reader: NewReader(cfg, prefix)} }

const longestPause = time.Second

// What Secrets Manager answers, where its SDK has no better word or several services share one.
const (
	codeFull     = "LimitExceededException"  // of labels
	codeTaken    = "ResourceExistsException" // a secret, or a version with other content
	codeDeleting = "InvalidRequestException"
)

// Get is the port's.
func (r *Reader) Get(ctx context.Context, name, version string) (vault.Secret, error) {
	if err := errors.Join(ctx.Err(), vault.CheckName(name, version)); err != nil {
		return vault.Secret{}, err
	}
	for shelf := 1; ; shelf++ {
		secret, err := r.get(ctx, name, shelf, version)
		if !errors.Is(err, errNotHere) {
			return secret, failed("get", name, version, err)
		}
	}
}

// errNotHere: the shelf is there, and doesn't hold the version.
var errNotHere = errors.New("not on this shelf")

// get reads from one shelf. ErrAbsent says that there is no such shelf, and so none behind it.
func (r *Reader) get(ctx context.Context, name string, shelf int, version string) (vault.Secret, error) {
	out, err := r.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: r.shelf(name, shelf), VersionId: versionID(version),
	})
	var gone *types.ResourceNotFoundException
	switch {
	case err == nil:
		return vault.NewSecret(aws.ToString(out.SecretString)), nil
	case isCode(err, codeDeleting):
		return vault.Secret{}, vault.ErrAbsent
	case !errors.As(err, &gone):
		return vault.Secret{}, err
	}
	// The answer is the same whether the secret or the version is missing.
	_, err = r.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: r.shelf(name, shelf)})
	switch {
	case err == nil:
		return vault.Secret{}, errNotHere
	case errors.As(err, &gone) || isCode(err, codeDeleting):
		return vault.Secret{}, vault.ErrAbsent
	}
	return vault.Secret{}, err
}

// Put is the port's. Secrets Manager itself refuses other content under a version that it has.
func (v Vault) Put(ctx context.Context, name, version string, secret vault.Secret) error {
	if err := errors.Join(ctx.Err(), vault.CheckName(name, version), vault.CheckSecret(secret)); err != nil {
		return err
	}
	for shelf := 1; ; shelf++ {
		err := v.put(ctx, name, shelf, version, secret)
		if !isCode(err, codeFull) {
			return failed("put", name, version, err)
		}
		// A full shelf may hold this very version.
		stored, err := v.get(ctx, name, shelf, version)
		switch {
		case err == nil && stored.Reveal() == secret.Reveal():
			return nil
		case err == nil:
			return failed("put", name, version, vault.ErrTaken)
		case !errors.Is(err, errNotHere):
			return failed("put", name, version, err)
		}
	}
}

// put stores on one shelf, and makes the shelf when there is none. Two who make it at once both come to the end: the
// second one finds it made.
func (v Vault) put(ctx context.Context, name string, shelf int, version string, secret vault.Secret) error {
	err := v.add(ctx, name, shelf, version, secret)
	var none *types.ResourceNotFoundException
	if !errors.As(err, &none) {
		return err
	}
	in := &secretsmanager.CreateSecretInput{
		Name: v.shelf(name, shelf), ClientRequestToken: versionID(version), SecretString: aws.String(secret.Reveal()),
	}
	if v.Key != "" {
		in.KmsKeyId = &v.Key
	}
	_, err = v.client.CreateSecret(ctx, in)
	if isCode(err, codeTaken) {
		return v.add(ctx, name, shelf, version, secret)
	}
	return err
}

// add adds a version under a label of its own. The first version of a shelf is AWSCURRENT, and stays so.
func (v Vault) add(ctx context.Context, name string, shelf int, version string, secret vault.Secret) error {
	_, err := v.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: v.shelf(name, shelf), ClientRequestToken: versionID(version),
		SecretString: aws.String(secret.Reveal()), VersionStages: []string{*versionID(version)},
	})
	if isCode(err, codeTaken) {
		return vault.ErrTaken
	}
	return err
}

// Delete is the port's. The last shelf goes first, so that a Delete that failed half way can be repeated.
func (v Vault) Delete(ctx context.Context, name string) error {
	if err := errors.Join(ctx.Err(), vault.CheckName(name)); err != nil {
		return err
	}
	last, err := v.lastShelf(ctx, name)
	if err != nil {
		return fmt.Errorf("delete secret %s: %w", name, err)
	}
	for shelf := last; shelf > 0; shelf-- {
		_, err := v.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{
			SecretId: v.shelf(name, shelf), ForceDeleteWithoutRecovery: aws.Bool(true),
		})
		var gone *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("delete secret %s: %w", name, err)
		}
	}
	return nil
}

// lastShelf is the number of the secret's last shelf; 0 when there is none.
func (v Vault) lastShelf(ctx context.Context, name string) (int, error) {
	for shelf := 1; ; shelf++ {
		_, err := v.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: v.shelf(name, shelf)})
		var none *types.ResourceNotFoundException
		if errors.As(err, &none) || isCode(err, codeDeleting) {
			return shelf - 1, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// shelf is the name of a secret at Secrets Manager. Names of the port have no slash.
func (r *Reader) shelf(name string, n int) *string {
	full := r.prefix + name
	if n > 1 {
		full += fmt.Sprintf("/%d", n)
	}
	return &full
}

// versionID is what Secrets Manager calls a version: itself if it is long enough to be one (32 to 64 characters, as
// UUIDs are), otherwise its hash.
func versionID(version string) *string {
	if len(version) < 32 {
		hash := sha256.Sum256([]byte(version))
		version = hex.EncodeToString(hash[:])
	}
	return &version
}

func isCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}

func failed(verb, name, version string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s secret %s, version %s: %w", verb, name, version, err)
}
