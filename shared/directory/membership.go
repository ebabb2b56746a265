package directory

import (
	"maps"
	"slices"
)

// Membership is the net effect of any number of additions and removals, made in order, on the members of a group that
// nobody has read: what is to be in, what is to be out, and whether everything else goes. The zero value changes
// nothing. Doing its effect at once gives the same members as doing the steps one after another.
type Membership struct {
	whole  bool              // whatever isn't named here goes
	people map[string]bool   // id → in or out
	others map[string]string // id → type, or empty for out
}

// Add puts members in. Adding what is in changes nothing. The same id may be in as a person and as something else.
func (m *Membership) Add(members ...Member) {
	for _, member := range members {
		if member.IsPerson() {
			m.setPerson(member.ID, true)
		} else {
			m.setOther(member.ID, member.Type)
		}
	}
}

// Remove takes ids out, whatever they are in as.
func (m *Membership) Remove(ids ...string) {
	for _, id := range ids {
		m.setPerson(id, false)
		m.setOther(id, "")
	}
}

// Clear takes everything out. Members added afterwards are then the whole membership.
func (m *Membership) Clear() { *m = Membership{whole: true} }

// Whole says that the result doesn't depend on who was in before.
func (m *Membership) Whole() bool { return m.whole }

// Empty says that nothing is to be done.
func (m *Membership) Empty() bool { return !m.whole && len(m.people) == 0 && len(m.others) == 0 }

func (m *Membership) setPerson(id string, in bool) {
	if m.people == nil {
		m.people = map[string]bool{}
	}
	m.people[id] = in
}

func (m *Membership) setOther(id, kind string) {
	if m.others == nil {
		m.others = map[string]string{}
	}
	m.others[id] = kind
}

// peopleIn and peopleOut are in sorted order, so that a run can be repeated exactly.
func (m *Membership) peopleIn() []string  { return m.peopleWho(true) }
func (m *Membership) peopleOut() []string { return m.peopleWho(false) }

func (m *Membership) peopleWho(in bool) []string {
	var ids []string
	for _, id := range sortedKeys(m.people) {
		if m.people[id] == in {
			ids = append(ids, id)
		}
	}
	return ids
}

// othersIn is what else is to be in, in sorted order.
func (m *Membership) othersIn() []Member {
	var in []Member
	for _, id := range sortedKeys(m.others) {
		if kind := m.others[id]; kind != "" {
			in = append(in, Member{ID: id, Type: kind})
		}
	}
	return in
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// check holds the ids and types against what the table can carry.
func (m *Membership) check() error {
	for id := range m.people {
		if err := checkID(id); err != nil {
			return err
		}
	}
	for id, kind := range m.others {
		if err := checkID(id); err != nil {
			return err
		}
		if err := checkText("members.type", kind); err != nil {
			return err
		}
	}
	return nil
}
