package directory_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/table/mem"
)

// script makes one random PATCH of a group in one of the providers' shapes, and does the same to a set.
func script(r *rand.Rand, set map[string]bool) string {
	var ops []string
	for range 1 + r.IntN(4) {
		ids := []string{}
		for range r.IntN(4) {
			ids = append(ids, fmt.Sprintf("p%d", r.IntN(6)))
		}
		values := []map[string]any{}
		for _, id := range ids {
			values = append(values, map[string]any{"$ref": nil, "value": id})
		}
		list, _ := json.Marshal(values)
		one := fmt.Sprintf("p%d", r.IntN(6))
		put := func(in bool) {
			for _, id := range ids {
				set[id] = in
			}
		}
		switch r.IntN(9) {
		case 0:
			ops = append(ops, fmt.Sprintf(`{"op":"Add","path":"members","value":%s}`, list))
			put(true)
		case 1:
			ops = append(ops, fmt.Sprintf(`{"op":"add","value":{"members":%s}}`, list))
			put(true)
		case 2:
			ops = append(ops, fmt.Sprintf(`{"OP":"ADD","Path":"Members","Value":{"value":%q}}`, one))
			set[one] = true
		case 3:
			ops = append(ops, fmt.Sprintf(`{"op":"Remove","path":"members","value":%s}`, list))
			put(false)
		case 4:
			ops = append(ops, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, one))
			set[one] = false
		case 5:
			ops = append(ops, `{"op":"replace","value":{"displayName":"Renamed"}}`)
		case 6:
			ops = append(ops, fmt.Sprintf(`{"op":"replace","path":"members","value":%s}`, list))
			clear(set)
			put(true)
		case 7:
			if r.IntN(4) == 0 {
				ops = append(ops, `{"op":"remove","path":"members"}`)
				clear(set)
			}
		case 8:
			ops = append(ops, fmt.Sprintf(`{"op":"replace","value":{"members":%s,"id":"x"}}`, list))
			clear(set)
			put(true)
		}
	}
	if len(ops) == 0 {
		return ""
	}
	return patchOp(strings.Join(ops, ","))
}

func TestPatchesOfAGroupEqualASimpleSet(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newServer(t)
		s.table.SetFaults(mem.Faults{Chance: s.virtual.IntN, LeaveOneIn: 3, ShortPagesOneIn: 2, ConflictOneIn: 4})
		group, set := s.newGroup(t, "G"), map[string]bool{}
		for range 12 {
			body := script(r, set)
			if body == "" {
				continue
			}
			s.want(t, 204, "PATCH", "/Groups/"+group, body)
			want := map[string]bool{}
			for id, in := range set {
				if in {
					want[id] = true
				}
			}
			if got := s.memberIDs(t, group); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, after %s: %v, want %v", seed, body, got, want)
			}
		}
	}
}

// A public product lost members to parallel PATCHes because it read the group, changed it and wrote it back.
func TestParallelPatchesLoseNoMember(t *testing.T) {
	s := newServer(t)
	group := s.newGroup(t, "G", "leaver-0", "leaver-1", "leaver-2", "leaver-3")
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for j := range 5 {
				s.want(t, 204, "PATCH", "/Groups/"+group, patchOp(fmt.Sprintf(
					`{"op":"replace","value":{"displayName":"Name %d"}},{"op":"Add","path":"members","value":[{"value":"p-%d-%d"}]},
					{"op":"Remove","path":"members","value":[{"value":"leaver-%d"}]}`, i, i, j, i%4)))
			}
		})
	}
	wait.Wait()
	got := s.memberIDs(t, group)
	if len(got) != 80 {
		t.Errorf("%d members, want 80", len(got))
	}
	for id := range got {
		if strings.HasPrefix(id, "leaver") {
			t.Errorf("%s is still in", id)
		}
	}
}

func TestParallelCreationsOfOneUserMakeOne(t *testing.T) {
	s := newServer(t)
	var mu sync.Mutex
	var wait sync.WaitGroup
	statuses := map[int]int{}
	for range 8 {
		wait.Go(func() {
			status := s.send(t, "POST", "/Users", oktaUser).status
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	wait.Wait()
	if want := map[int]int{201: 1, 409: 7}; !reflect.DeepEqual(statuses, want) {
		t.Errorf("statuses %v, want %v", statuses, want)
	}
}

func TestAGroupOfTenThousand(t *testing.T) {
	s := newServer(t)
	var members []string
	for i := range 10_000 {
		members = append(members, fmt.Sprintf("3b241101-e2bb-4255-8caf-%012d", i))
	}
	begun := time.Now()
	group := s.newGroup(t, "Everybody", members...)
	if got := s.memberIDs(t, group); len(got) != len(members) {
		t.Errorf("%d members", len(got))
	}
	var rest []map[string]string
	for _, id := range members[1:] {
		rest = append(rest, map[string]string{"value": id})
	}
	body, _ := json.Marshal(map[string]any{"displayName": "Everybody", "members": rest})
	s.want(t, 200, "PUT", "/Groups/"+group, string(body))
	if got := s.memberIDs(t, group); len(got) != len(members)-1 || got[members[0]] {
		t.Errorf("%d members after the replacement", len(got))
	}
	s.want(t, 204, "DELETE", "/Groups/"+group, "")
	if took := time.Since(begun); took > 20*time.Second { // the gateway gives each request 30 s; these are five
		t.Errorf("took %v", took)
	}
}

func TestASecondReplacementWaitsForTheFirst(t *testing.T) {
	s := newServer(t)
	group := s.newGroup(t, "G", "a")
	replace := `{"displayName":"G","members":[{"value":"b"}]}`
	var during answer
	seen := false
	s.table.SetFaults(mem.Faults{After: func(c mem.Call) error {
		if c.Kind == mem.PutMany && !seen {
			seen = true
			during = s.send(t, "PUT", "/Groups/"+group, `{"displayName":"G","members":[{"value":"c"}]}`)
		}
		return nil
	}})
	s.want(t, 200, "PUT", "/Groups/"+group, replace)
	if during.status != 503 || during.header.Get("Retry-After") != "60" {
		t.Errorf("the second got %d, Retry-After %q", during.status, during.header.Get("Retry-After"))
	}
	if got := s.memberIDs(t, group); len(got) != 1 || !got["b"] {
		t.Errorf("members %v", got)
	}
	s.want(t, 200, "PUT", "/Groups/"+group, `{"displayName":"G","members":[{"value":"c"}]}`)
}

// Whatever write of a request is the last one that happens, and whether the function learns that it did: the provider
// repeats the request, and what it asked for holds.
func TestARepeatedRequestHealsWhatADeathLeftBehind(t *testing.T) {
	scenes := map[string]struct {
		method, path, body string
		done               []int
	}{
		"patch": {"PATCH", "/Groups/G", patchOp(`{"op":"replace","value":{"displayName":"H"}},
			{"op":"add","path":"members","value":[{"value":"b"}]},{"op":"remove","path":"members[value eq \"a\"]"}`), []int{204}},
		"replace": {"PUT", "/Groups/G", `{"displayName":"H","members":[{"value":"b"}]}`, []int{200}},
		"delete":  {"DELETE", "/Groups/G", "", []int{204, 404}},
	}
	for name, c := range scenes {
		for n := 1; ; n++ {
			finished := false
			for _, happened := range []bool{false, true} {
				s := newServer(t)
				group := s.newGroup(t, "G", "a")
				path := strings.Replace(c.path, "/Groups/G", "/Groups/"+group, 1)
				faults, crashed := mem.Crash(n, happened)
				s.table.SetFaults(faults)
				s.send(t, c.method, path, c.body)
				finished = !crashed()
				s.table.SetFaults(mem.Faults{})
				s.virtual.Advance(2 * time.Minute)
				if a := s.send(t, c.method, path, c.body); !slices.Contains(c.done, a.status) {
					t.Errorf("%s, death at write %d (%v): repeated: %d %s", name, n, happened, a.status, a.raw)
				}
				want := map[string]bool{"b": true}
				if name == "delete" {
					s.want(t, 404, "GET", path, "")
					want = map[string]bool{}
				}
				in, err := s.AreMembers(t.Context(), group, []string{"a", "b"})
				if err != nil || fmt.Sprint(in) != fmt.Sprint(want) {
					t.Errorf("%s, death at write %d (%v): members %v, want %v, %v", name, n, happened, in, want, err)
				}
			}
			if finished {
				if n == 1 {
					t.Errorf("%s never wrote", name)
				}
				break
			}
		}
	}
}
