//go:build aws

package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// The SDK's own repetition finds out what became of the first request.
func lostAnswers(s *scene) {
	for _, obey := range []bool{false, true} {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			s.wire.Next(cut(operation, obey))
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(fmt.Sprintf("%s, obeyed %v", operation, obey), "a=1", err, nil)
		})
		version := s.put("b", "1")
		s.wire.Next(cut("DeleteItem", obey))
		_, err := s.Commit(s.Context(), world.NewID(world.Real()), table.Delete(s.key("b"), table.At(version)))
		if obey { // nobody can know who has deleted it; it is gone
			s.want("delete, obeyed", "", err, table.ErrCondition)
		} else {
			s.want("delete", "", err, nil)
		}
	}
	s.eachWidth(func(operation, token string, ops []table.Op) {
		s.wire.Next(cut(operation, false), cut(operation, false), cut(operation, false))
		_, err := s.Commit(s.Context(), token, ops...)
		s.wantUnknown(operation+", three times", "", err)
	})
	s.eachWidth(func(operation, token string, ops []table.Op) {
		s.wire.Next(cut(operation, false), cut(operation, false), cut(operation, true))
		_, err := s.Commit(s.Context(), token, ops...)
		s.wantUnknown(operation+", obeyed at last", "a=1", err)
		_, err = s.Commit(s.Context(), token, ops...)
		s.want("repeated", "a=1", err, nil)
	})
}

func serviceErrors(s *scene) {
	for _, obey := range []bool{false, true} {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			trouble := emulators.Refusal(operation, "InternalServerError", "")
			trouble.Status, trouble.Obey = http.StatusInternalServerError, obey
			s.wire.Next(trouble)
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(operation, "a=1", err, nil)
		})
		s.eachWidth(func(operation, token string, ops []table.Op) {
			trouble := emulators.Refusal(operation, "InternalServerError", "")
			trouble.Status = http.StatusInternalServerError
			last := trouble
			last.Obey = obey
			s.wire.Next(trouble, trouble, last)
			_, err := s.Commit(s.Context(), token, ops...)
			s.wantUnknown(operation, map[bool]string{true: "a=1"}[obey], err)
		})
	}
}

var throttles = []string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}

// One refusal is repeated; refusals only are a conflict, and nothing has happened.
func throttling(s *scene) {
	for _, code := range throttles {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			no := emulators.Refusal(operation, code, "")
			s.wire.Next(no)
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(code, "a=1", err, nil)
		})
		s.eachWidth(func(operation, token string, ops []table.Op) {
			no := emulators.Refusal(operation, code, "")
			s.wire.Next(no, no, no)
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(code, "", err, table.ErrConflict)
		})
	}
	s.put("a", "1")
	s.wire.Next(emulators.Refusal("GetItem", throttles[0], ""), emulators.Refusal("Query", throttles[0], ""))
	item, _, err := s.Get(s.Context(), s.key("a"))
	s.want("get", "a=1", err, nil)
	if string(item.Body) != "1" {
		s.Errorf("got %+v", item)
	}
}

// After a lost answer, a refusal doesn't say that nothing happened.
func doubt(s *scene) {
	for _, obey := range []bool{false, true} {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			no := emulators.Refusal(operation, throttles[0], "")
			s.wire.Next(cut(operation, obey), no, no)
			_, err := s.Commit(s.Context(), token, ops...)
			s.wantUnknown(operation, map[bool]string{true: "a=1"}[obey], err)
			_, err = s.Commit(s.Context(), token, ops...)
			s.want("repeated", "a=1", err, nil)
		})
	}
}

func canceled(reasons ...string) emulators.Fault {
	var list []string
	for _, r := range reasons {
		list = append(list, `{"Code":"`+r+`","Message":"made up"}`)
	}
	return emulators.Refusal("TransactWriteItems", "TransactionCanceledException",
		`,"CancellationReasons":[`+strings.Join(list, ",")+`]`)
}

func (s *scene) transact(faults ...emulators.Fault) error {
	s.Helper()
	s.wire.Next(faults...)
	_, err := s.Commit(s.Context(), world.NewID(world.Real()), s.widths()["TransactWriteItems"]...)
	return err
}

func conflicts(s *scene) {
	for _, reason := range []string{"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"} {
		s.want(reason, "", s.transact(canceled("None", reason)), table.ErrConflict)
	}
	s.wire.Next(emulators.Refusal("PutItem", "TransactionConflictException", ""))
	_, err := s.Commit(s.Context(), "one", s.widths()["PutItem"]...)
	s.want("alone", "", err, table.ErrConflict)

	s.wantUnknown("after a lost answer, and it didn't happen", "",
		s.transact(cut("TransactWriteItems", false), canceled("TransactionConflict", "None")))
	s.wantUnknown("after a lost answer, and it happened", "a=1",
		s.transact(cut("TransactWriteItems", true), canceled("TransactionConflict", "None")))
}

func reasons(s *scene) {
	err := s.transact(canceled("TransactionConflict", "ConditionalCheckFailed"))
	s.want("condition and conflict", "", err, table.ErrCondition)
	var failed *table.ConditionError
	if !errors.As(err, &failed) || !slices.Equal(failed.Failed, []int{1}) {
		s.Errorf("got %v, want op 1", err)
	}
	s.want("invalid", "", s.transact(canceled("ValidationError", "None")), table.ErrLimit)
	s.wantUnknown("a reason that nobody knows", "", s.transact(canceled("MadeUp", "None")))
	s.wantUnknown("no reasons", "", s.transact(canceled()))
}

func tokens(s *scene) {
	ops := s.widths()["TransactWriteItems"]
	token := s.put("z", "1")
	_, err := s.Commit(s.Context(), token, ops...)
	s.want("used for other ops", "z=1", err, table.ErrLimit)

	busy := emulators.Refusal("TransactWriteItems", "TransactionInProgressException", "")
	s.want("one that is still being done", "a=1 z=1", s.transact(busy), nil)
	s.wantUnknown("and doesn't end", "a=1 z=1", s.transact(busy, busy, busy))
}

const tableName = "bookplate-test"

// rewritten changes one JSON text by a function of its members.
func rewritten(change func(map[string]any)) func(string) string {
	return func(text string) string {
		members := map[string]any{}
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			return text
		}
		change(members)
		data, err := json.Marshal(members)
		if err != nil {
			return text
		}
		return string(data)
	}
}

// within are the members of a member.
func within(members map[string]any, name string) map[string]any {
	inner, _ := members[name].(map[string]any)
	return inner
}

// leaveKeys makes DynamoDB read only the first n keys of a batch, and give back the others.
func leaveKeys(n int) emulators.Fault {
	var left []any
	return emulators.Fault{
		Operation: "BatchGetItem",
		Change: rewritten(func(m map[string]any) {
			asked := within(within(m, "RequestItems"), tableName)
			keys, _ := asked["Keys"].([]any)
			asked["Keys"], left = keys[:max(n, 1)], keys[n:]
		}),
		Answer: rewritten(func(m map[string]any) {
			if n == 0 {
				m["Responses"] = map[string]any{tableName: []any{}}
			}
			m["UnprocessedKeys"] = map[string]any{tableName: map[string]any{"Keys": left, "ConsistentRead": true}}
		}),
	}
}

func unreadKeys(s *scene) {
	var keys []table.Key
	for i := range 5 {
		s.put(fmt.Sprint(i), "1")
		keys = append(keys, s.key(fmt.Sprint(i)))
	}
	keys = append(keys, s.key("none"))
	s.wire.Next(leaveKeys(2), leaveKeys(0), leaveKeys(1))
	items, u, err := s.GetMany(s.Context(), keys)
	if err != nil || len(items) != 5 || u != (table.Units{Read: 6}) {
		s.Errorf("%d items, %v, %v", len(items), u, err)
	}
	before := s.clock.Now()
	for range 8 {
		s.wire.Next(leaveKeys(0))
	}
	if items, _, err := s.GetMany(s.Context(), keys); err == nil || items != nil {
		s.Errorf("all left: %d items, %v", len(items), err)
	}
	if waited := s.clock.Now().Sub(before); waited < time.Second || waited > time.Minute {
		s.Errorf("gave up after %v", waited)
	}
}

// leaveItems makes DynamoDB write all but the last n of a batch.
func leaveItems(n int) emulators.Fault {
	var left []any
	return emulators.Fault{
		Operation: "BatchWriteItem",
		Change: rewritten(func(m map[string]any) {
			requests, _ := within(m, "RequestItems")[tableName].([]any)
			within(m, "RequestItems")[tableName] = requests[:len(requests)-n]
			left = requests[len(requests)-n:]
		}),
		Answer: rewritten(func(m map[string]any) { m["UnprocessedItems"] = map[string]any{tableName: left} }),
	}
}

func unwrittenItems(s *scene) {
	items := []table.Item{s.item("a", "1"), s.item("b", "1"), s.item("c", "1")}
	s.wire.Next(leaveItems(2))
	left, u, err := s.PutMany(s.Context(), "t1", items...)
	s.want("put", "a=1", err, nil)
	if len(left) != 2 || left[0].Key != items[1].Key || string(left[1].Body) != "1" || u != (table.Units{Write: 1}) {
		s.Errorf("left %+v, %v", left, u)
	}
	no := emulators.Refusal("BatchWriteItem", throttles[0], "")
	s.wire.Next(no, no, no)
	left, _, err = s.PutMany(s.Context(), "t1", items...)
	s.want("throttled", "a=1", err, nil)
	if len(left) != 3 {
		s.Errorf("left %+v", left)
	}
	for _, obey := range []bool{false, true} {
		s.wire.Next(cut("BatchWriteItem", obey), no, no)
		left, _, err = s.PutMany(s.Context(), "t2", items[1])
		s.wantUnknown("in doubt", map[bool]string{false: "a=1", true: "a=1 b=1"}[obey], err)
		if left != nil {
			s.Errorf("left %+v", left)
		}
	}
	s.wire.Next(cut("BatchWriteItem", true))
	left, _, err = s.PutMany(s.Context(), "t3", items...)
	s.want("repeated by the SDK", "a=1 b=1 c=1", err, nil)
	s.wire.Next(leaveItems(1))
	keys, _, err := s.DeleteMany(s.Context(), s.key("a"), s.key("b"), s.key("c"))
	s.want("delete", "c=1", err, nil)
	if len(left) != 0 || !slices.Equal(keys, []table.Key{s.key("c")}) {
		s.Errorf("left %v, %v", left, keys)
	}
}

// firstItems makes a page end after n items, as one does at 1 MB.
func firstItems(n int, lastKey map[string]any) emulators.Fault {
	return emulators.Fault{Operation: "Query", Answer: rewritten(func(m map[string]any) {
		items, _ := m["Items"].([]any)
		m["Items"], m["LastEvaluatedKey"] = items[:n], lastKey
	})}
}

func shortPages(s *scene) {
	for _, sort := range []string{"a", "b", "c"} {
		s.put(sort, "1")
	}
	textOf := func(text string) map[string]any { return map[string]any{"S": text} }
	at := func(sort string) map[string]any { return map[string]any{"pk": textOf(s.part), "sk": textOf(sort)} }
	// One page of an item, one of none that goes on all the same, and the rest.
	s.wire.Next(firstItems(1, at("a")), firstItems(0, at("b")))
	var got []string
	r := table.Range{Part: s.part}
	for pages := 1; ; pages++ {
		page, err := s.Query(s.Context(), r)
		if err != nil {
			s.Fatal(err)
		}
		for _, item := range page.Items {
			got = append(got, item.Key.Sort)
		}
		if r.Cursor = page.Next; r.Cursor == "" {
			if pages != 3 || !slices.Equal(got, []string{"a", "c"}) { // "b" was on the page that was emptied
				s.Errorf("%d pages: %v", pages, got)
			}
			return
		}
	}
}

func invalidRequests(s *scene) {
	s.eachWidth(func(operation, token string, ops []table.Op) {
		s.wire.Next(emulators.Refusal(operation, "ValidationException", ""))
		_, err := s.Commit(s.Context(), token, ops...)
		s.want(operation, "", err, table.ErrLimit)
		if calls := s.wire.Calls(); len(calls) != 2 || calls[0] != operation { // and the look at what is stored
			s.Errorf("calls %v", calls)
		}
	})
}
