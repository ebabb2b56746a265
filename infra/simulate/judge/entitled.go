package judge

import (
	"cmp"
	"slices"
	"time"
)

// entitled: law 3. Active, and in a group that is to have the book, since the batch was stored and within the last minute. Nor
// is anybody given what may still be taken back, or what waits for approval.
func (j *Judge) entitled(r *Request, b Book, person string, since time.Time, pending map[string]bool) {
	tags := []string{b.AdamID, person}
	if !j.within(Active(person), since) && !j.joins(person) {
		j.broken("to the wrong person", tags, "person %s is sent title %s and isn't active", person, b.AdamID)
		return
	}
	law, why := "to the wrong person", "is in no group that is to have it"
	for _, group := range append(slices.Clone(j.Groups), Everybody) {
		if group != Everybody && !j.within(Member(group, person), since) {
			continue
		}
		wish, hold, covers := j.wishOf(b, group, person, since)
		if !covers {
			continue
		}
		replaced := j.until(wish, since) // what is there now may be another one
		switch {
		case !replaced && !j.began(wish, r.At.Add(-hold)):
			law, why = "too early", "the assignment to group "+group+" can still be taken back"
		case !replaced && pending[group], group == Everybody && !j.within(Approved(b), since):
			law, why = "too early", "the assignment to group "+group+" waits for approval"
		default:
			return
		}
	}
	j.broken(law, tags, "person %s is sent title %s at %s and %s", person, b.AdamID, b.UID, why)
}

// wishOf is the wish for a group by which the person may have been given the book since, and for how long it is held back:
// what may have been asked for isn't.
func (j *Judge) wishOf(b Book, group, person string, since time.Time) (wish string, hold time.Duration, covers bool) {
	asked := j.within(Offer(b, group), since) && j.within(Asked(b, person), since)
	switch {
	case !j.within(Wish(b, group), since):
		return Offer(b, group), 0, asked
	case asked:
		return Wish(b, group), 0, true
	default:
		return Wish(b, group), j.Hold, true
	}
}

// stays: who is to be no reader of a location any more gets nothing there, until that is taken back.
func (j *Judge) stays(r *Request, b Book, person string, since time.Time) {
	at, out := j.out[r.UID+" "+person]
	if out && at.Before(since) {
		j.broken("to the wrong person", []string{b.AdamID, person}, "person %s is sent title %s at %s, where their reader is to be "+
			"retired since %s", person, b.AdamID, r.UID, at.Format(time.TimeOnly))
	}
	if !out && j.left[r.UID+" "+person] {
		j.Met["a title is sent to somebody who was restored"]++
	}
}

// Leaves says that the retirement of a reader is being ordered: an attempt that fails may have done it, and whose reader
// Apple has retired has no account there any more.
func (j *Judge) Leaves(uid, client string) { j.left[uid+" "+client] = true }

// Out says that it is ordered that a person be no reader of a location any more; the client is who they were there.
func (j *Judge) Out(uid, person, client string) {
	j.out[uid+" "+person] = j.Now()
	j.left[uid+" "+person] = true
	j.Leaves(uid, client)
}

// IsOut says that this is ordered.
func (j *Judge) IsOut(uid, person string) bool { return !j.out[uid+" "+person].IsZero() }

// In says that the person may be a reader there again.
func (j *Judge) In(uid, person string) { delete(j.out, uid+" "+person) }

// joins says that this may be somebody whom the directory has been sent, and whose sender hasn't been told under which id.
func (j *Judge) joins(person string) bool { return j.Joining > 0 && j.facts[Active(person)] == nil }

// pending are the groups to which a book's assignments wait for approval, in public.
func (j *Judge) pending(b Book) map[string]bool {
	groups := map[string]bool{}
	for _, one := range list[struct {
		Approval string `json:"x_approval"`
		Target   struct {
			Group string `json:"groupId"`
		}
	}](j, "/deviceAppManagement/managedEBooks/"+j.BookID(b)+"/assignments") {
		if one.Approval != "pending" {
			continue
		}
		if one.Target.Group == "" {
			one.Target.Group = Everybody
		}
		groups[one.Target.Group] = true
	}
	return groups
}

// should is the script's own word: active, and in a group for which the book is required, or available and asked for.
func (j *Judge) should(b Book, person string) bool {
	return j.Is(Active(person)) && len(j.covering(b, person)) > 0
}

func (j *Judge) covering(b Book, person string) (groups []string) {
	for _, g := range append(slices.Clone(j.Groups), Everybody) {
		wished := j.Is(Wish(b, g)) || j.Is(Offer(b, g)) && j.Is(Asked(b, person))
		if wished && (g == Everybody || j.Is(Member(g, person))) {
			groups = append(groups, g)
		}
	}
	return groups
}

// waits says that the person comes under nothing but what waits for approval, or has given all that it may without another.
func (j *Judge) waits(b Book, person string) bool {
	pending, spent := j.pending(b), j.spent(b)
	return !slices.ContainsFunc(j.covering(b, person), func(g string) bool { return !pending[g] && !spent[g] })
}

// spent are the groups whose assignments have given as many licenses as they may, in public.
func (j *Judge) spent(b Book) map[string]bool {
	groups := map[string]bool{}
	open := j.unlisted(b)
	for _, one := range j.limited(b) {
		if one.given+open >= one.limit {
			groups[one.group] = true
		}
	}
	return groups
}

// unlisted is to how many people a book was sent that Apple hasn't listed for them: it may have been given all the same, and
// counts then.
func (j *Judge) unlisted(b Book) (n int) {
	for p, all := range j.sent {
		last := all[len(all)-1]
		sent := last.uid == b.UID && !last.refused && slices.Contains(last.request.asks().Assets, asset{b.AdamID, b.Pricing})
		if p.adamID == b.AdamID && sent && !j.ended(last, p.adamID, p.person) {
			n++
		}
	}
	return n
}

// limited is an assignment that may give so many licenses and no more, in public.
type limited struct {
	group        string
	given, limit int
}

func (j *Judge) limited(b Book) (all []limited) {
	given := map[string]int{} // by assignment; also what Apple has taken back
	for _, l := range list[struct {
		Cause struct {
			Assignment string `json:"assignmentId"`
		} `json:"cause"`
	}](j, "/bookplate/ledger?title="+b.AdamID) {
		given[l.Cause.Assignment]++
	}
	for _, one := range list[struct {
		ID     string `json:"id"`
		Limit  *int   `json:"x_licenseLimit"`
		Target struct {
			Group string `json:"groupId"`
		}
	}](j, "/deviceAppManagement/managedEBooks/"+j.BookID(b)+"/assignments") {
		if one.Limit != nil {
			all = append(all, limited{cmp.Or(one.Target.Group, Everybody), given[one.ID], *one.Limit})
		}
	}
	return all
}
