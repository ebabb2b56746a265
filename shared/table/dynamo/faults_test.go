//go:build aws

package dynamo_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
	"github.com/bookplate/bookplate/shared/world"
)

// scene is an engine whose line to DynamoDB has faults. Time between repetitions of its own is virtual; the SDK's isn't.
type scene struct {
	*testing.T
	*dynamo.Table
	wire  *emulators.Wire
	clock *world.Virtual
	part  string // of this test alone
}

var start = time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC)

// TestFaultsThatEmulatorsDoNotHave puts them on the line to one.
func TestFaultsThatEmulatorsDoNotHave(t *testing.T) {
	cfg, wire := emulators.Tap(t, emulators.Dynoxide(t))
	clock := world.NewVirtual(1, start)
	engine := open(t, cfg, clock)
	for name, test := range map[string]func(*scene){
		"lost answers":          lostAnswers,
		"errors of the service": serviceErrors,
		"throttling":            throttling,
		"doubt":                 doubt,
		"transaction conflicts": conflicts,
		"reasons":               reasons,
		"tokens":                tokens,
		"unread keys":           unreadKeys,
		"unwritten items":       unwrittenItems,
		"short pages":           shortPages,
		"invalid requests":      invalidRequests,
	} {
		t.Run(name, func(t *testing.T) {
			wire.Calls()
			test(&scene{t, engine, wire, clock, world.NewID(world.Real())})
			if left := wire.Left(); left != 0 {
				t.Errorf("%d faults didn't meet their request", left)
			}
		})
	}
}

func (s *scene) key(sort string) table.Key { return table.Key{Part: s.part, Sort: sort} }

func (s *scene) item(sort, body string) table.Item {
	return table.Item{Key: s.key(sort), Body: []byte(body)}
}

func (s *scene) put(sort, body string) string {
	s.Helper()
	token := world.NewID(world.Real())
	if _, err := s.Commit(s.Context(), token, table.Put(s.item(sort, body), table.Any())); err != nil {
		s.Fatal(err)
	}
	return token
}

// stored is what is in the partition, "key=body" in order.
func (s *scene) stored() string {
	s.Helper()
	page, err := s.Query(s.Context(), table.Range{Part: s.part})
	if err != nil {
		s.Fatal(err)
	}
	var list []string
	for _, item := range page.Items {
		list = append(list, item.Key.Sort+"="+string(item.Body))
	}
	return strings.Join(list, " ")
}

func (s *scene) want(what, stored string, err, want error) {
	s.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		s.Errorf("%s: got error %v, want %v", what, err, want)
	}
	if got := s.stored(); got != stored {
		s.Errorf("%s: stored %q, want %q", what, got, stored)
	}
}

// wantUnknown: the error promises nothing, neither that nothing happened nor that a condition failed.
func (s *scene) wantUnknown(what, stored string, err error) {
	s.Helper()
	for _, known := range []error{nil, table.ErrConflict, table.ErrCondition, table.ErrLimit} {
		if errors.Is(err, known) {
			s.Errorf("%s: got %v, want an unknown outcome", what, err)
		}
	}
	if got := s.stored(); got != stored {
		s.Errorf("%s: stored %q, want %q", what, got, stored)
	}
}

// widths are Commits that make nothing into "a=1" by one request each: a write alone and a transaction.
func (s *scene) widths() map[string][]table.Op {
	put := s.item("a", "1")
	return map[string][]table.Op{
		"PutItem":            {table.Put(put, table.Absent())},
		"TransactWriteItems": {table.Put(put, table.Any()), table.Delete(s.key("none"), table.Any())},
	}
}

func (s *scene) eachWidth(check func(operation, token string, ops []table.Op)) {
	s.Helper()
	for operation, ops := range s.widths() {
		check(operation, world.NewID(world.Real()), ops)
		if _, _, err := s.DeleteMany(s.Context(), s.key("a")); err != nil {
			s.Fatal(err)
		}
		s.wire.Calls()
	}
}

func cut(operation string, obey bool) emulators.Fault {
	return emulators.Fault{Operation: operation, Obey: obey}
}
