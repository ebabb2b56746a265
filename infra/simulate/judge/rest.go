package judge

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// Listed is a book with its id in public answers.
type Listed struct {
	Book
	ID string
}

// Grant is how one person stands with a book, in public.
type Grant struct {
	PersonID string `json:"personId"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Text     string `json:"text"`
	Next     string `json:"next"`
}

// Grants are a book's public answer.
func (j *Judge) Grants(book string) []Grant { return list[Grant](j, "/bookplate/grants?book="+book) }

// PersonOf is whose reader the product says it is; empty when it says nothing.
func (j *Judge) PersonOf(uid, client string) string { return j.personOf(uid, client) }

// held is a license in public.
type held struct {
	PersonID     string `json:"personId"`
	Origin       string `json:"origin"`
	ClientUserID string `json:"clientUserId"`
	EventID      string `json:"eventId"`
}

// Rest judges at the end, when nothing has gone wrong for hours: laws 6 and 7, and that everybody has what they should.
func (j *Judge) Rest(books []Listed, people []string) {
	for _, b := range books {
		j.equal(b)
	}
	for _, b := range books {
		j.served(b, books, people)
		for _, one := range j.limited(b.Book) {
			if one.given > one.limit {
				j.broken("too early", []string{b.AdamID}, "the assignment of %s %s of %s to group %s has given %d licenses, and %d are approved",
					b.AdamID, b.Pricing, b.UID, one.group, one.given, one.limit)
			}
		}
	}
	for _, site := range j.Sites {
		for _, b := range list[struct {
			ID   string `json:"id"`
			Open bool   `json:"open"`
		}](j, "/bookplate/batches?location="+site.UID()) {
			if b.Open {
				j.broken("not converged", nil, "batch %s of %s is still open", b.ID, site.UID())
			}
		}
	}
}

// equal: laws 6 and 7. What the product lists of a book is what Apple has given, each with its origin.
func (j *Judge) equal(b Listed) {
	site := j.sites[b.UID]
	theirs := map[string]string{} // client → event
	for l := range site.Licenses() {
		if l.AdamID == b.AdamID && l.PricingParam == b.Pricing {
			theirs[l.ClientUserID] = l.EventID
		}
	}
	ours := list[held](j, "/bookplate/licenses?book="+b.ID)
	for _, h := range ours {
		event, there := theirs[h.ClientUserID]
		delete(theirs, h.ClientUserID)
		tags := []string{b.AdamID, h.PersonID}
		switch {
		case !there:
			j.broken("not converged", tags, "%s of %s is listed for %s, and Apple doesn't list it", b.AdamID, b.UID, h.ClientUserID)
		case h.Origin == "":
			j.broken("unexplained", tags, "%s of %s for %s has no origin", b.AdamID, b.UID, h.ClientUserID)
		case j.events[event] != nil && h.Origin != "assignment":
			j.broken("unexplained", tags, "%s of %s for %s was given by us, and its origin is said to be %s", b.AdamID, b.UID,
				h.ClientUserID, h.Origin)
		}
	}
	for _, client := range sorted(theirs) {
		j.broken("unexplained", []string{b.AdamID}, "Apple lists %s of %s for %s, and the product doesn't", b.AdamID, b.UID, client)
	}
}

// served: everybody who should have a title has it, or the answer says why not; and who could have it has it.
func (j *Judge) served(b Listed, books []Listed, people []string) {
	grants := map[string]Grant{}
	for _, g := range j.Grants(b.ID) {
		grants[g.PersonID] = g
	}
	free := j.free(b.Book)
	for _, person := range people {
		if !j.should(b.Book, person) || j.has(b.AdamID, person) {
			continue
		}
		tags := []string{b.AdamID, person}
		g, ok := grants[person]
		named := ok && g.Reason != "" && g.Text != "" && g.Next != ""
		if !named && !j.elsewhere(b, books, person) {
			j.broken("not converged", tags, "person %s should have %s %s of %s, hasn't, and no reason is named (%s)", person,
				b.AdamID, b.Pricing, b.UID, j.stands(b.AdamID, books, person))
			continue
		}
		if named && j.associated(b.UID, person) && free > 0 && !j.rightly(b.Book, person, g.Reason) {
			j.broken("not converged", tags, "person %s could have %s %s of %s, of which %d are left, and waits: %s", person, b.AdamID,
				b.Pricing, b.UID, free, g.Reason)
		}
	}
}

// rightly says that a person who could have a title waits for that reason all the same.
func (j *Judge) rightly(b Book, person, reason string) bool {
	switch reason {
	case "appleRefused", "bound", "refunded":
		return true
	case "waitingForApproval":
		return j.waits(b, person)
	case "retired": // a request of ours that Apple takes up late may make the retired reader anew
		return j.IsOut(b.UID, person)
	}
	return false
}

// free is how many licenses Apple has left.
func (j *Judge) free(b Book) int {
	for _, book := range j.sites[b.UID].Books() {
		if book.AdamID == b.AdamID && book.PricingParam == b.Pricing {
			return book.Available
		}
	}
	return 0
}

// elsewhere says that another book of the title names why the person waits: of what is wished twice, one answer is enough.
func (j *Judge) elsewhere(b Listed, books []Listed, person string) bool {
	for _, o := range books {
		if o.AdamID != b.AdamID || o.ID == b.ID {
			continue
		}
		for _, g := range j.Grants(o.ID) {
			if g.PersonID == person && g.Reason != "" {
				return true
			}
		}
	}
	return false
}

// stands is what the public answers say of a person and a title.
func (j *Judge) stands(adamID string, books []Listed, person string) string {
	var text []string
	for _, b := range books {
		for _, g := range j.Grants(b.ID) {
			if b.AdamID == adamID && g.PersonID == person {
				text = append(text, b.UID+" "+b.Pricing+": "+g.State+" "+g.Reason)
			}
		}
	}
	return strings.Join(text, ", ")
}

// has says that Apple lists the title for one of the person's readers, or for somebody with one of their accounts.
func (j *Judge) has(adamID, person string) bool {
	for _, site := range j.Sites {
		var clients []string
		for user := range site.Users() {
			if user.Account != "" && slices.Contains(j.accounts[person], strings.ToLower(user.Account)) {
				clients = append(clients, user.ClientUserID)
			}
		}
		for l := range site.Licenses() {
			if l.AdamID == adamID && (slices.Contains(clients, l.ClientUserID) || j.people[l.UID+" "+l.ClientUserID] == person) {
				return true
			}
		}
	}
	return false
}

// associated says that Apple knows the person's reader, with an account.
func (j *Judge) associated(uid, person string) bool {
	for user := range j.sites[uid].Users() {
		if user.Status == "Associated" && j.people[uid+" "+user.ClientUserID] == person {
			return true
		}
	}
	return false
}

// Retired says that somebody else has retired a reader: what they get in the next minute, nobody could know.
func (j *Judge) Retired(uid, client string) { j.retired[uid+" "+client] = j.Now() }

// Secret judges that a token is nowhere in a dump (law 8).
func (j *Judge) Secret(text string, dump []byte) {
	var inner struct{ Token string }
	inside, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(inside, &inner) != nil {
		return
	}
	for _, form := range []string{text, inner.Token} {
		if form != "" && bytes.Contains(dump, []byte(form)) {
			j.broken("secrets shown", nil, "the table shows a token")
		}
	}
}

func sorted(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
