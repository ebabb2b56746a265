//go:build aws

package dynamo_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/table"
)

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
