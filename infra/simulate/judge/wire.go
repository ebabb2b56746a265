package judge

import (
	"net/http"
	"slices"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// fresh is how old our knowledge of people and stock may be when a request starts.
const fresh = time.Minute

// Begin judges a request as it starts.
func (j *Judge) Begin(r *Request) {
	if !r.writes() {
		return
	}
	if r.Path == "/client/config" {
		j.beginClaim(r)
		return
	}
	j.beginWrite(r)
	if r.spends() {
		j.beginSpend(r)
	}
}

func (j *Judge) beginSpend(r *Request) {
	asks := r.asks()
	since := j.batch(r, asks)
	if minute := r.At.Add(-fresh); minute.After(since) {
		since = minute
	}
	j.synced(r)
	s := &sending{request: r, uid: r.UID}
	for _, a := range asks.Assets {
		b := Book{r.UID, a.AdamID, a.Pricing}
		j.stock(r, b, asks.ClientUserIDs)
		pending := j.pending(b)
		if len(pending) > 0 {
			j.Met["a title is sent while an assignment of it waits for approval"]++
		}
		for _, client := range asks.ClientUserIDs {
			person := j.personOf(r.UID, client)
			tags := []string{a.AdamID, person}
			if person == "" {
				j.broken("to the wrong person", []string{a.AdamID}, "nobody is known to be reader %s of %s", client, r.UID)
				continue
			}
			j.entitled(r, b, person, since, pending)
			j.stays(r, b, person, since)
			user, _ := j.sites[r.UID].User(client)
			at, retired := j.retired[r.UID+" "+client]
			if user.Status != "Associated" && (!retired || r.At.Sub(at) > 2*fresh) {
				j.broken("to the wrong person", tags, "reader %s of %s is sent a title and is %q", client, r.UID, user.Status)
			}
			p := pair{a.AdamID, person}
			for _, before := range j.sent[p] {
				j.again(before, r, a, client, tags)
			}
			j.sent[p] = append(j.sent[p], s)
		}
	}
	j.open = append(j.open, s)
}

// batch: law 2. What is sent is stored as sending, with as many people and these titles, and not a minute ago. It returns
// when its batch was first stored.
func (j *Judge) batch(r *Request, asks content) time.Time {
	for _, b := range list[struct {
		State   string     `json:"state"`
		Titles  []asset    `json:"titles"`
		People  int        `json:"peopleCount"`
		Sending *time.Time `json:"sendingDateTime"`
		Created time.Time  `json:"createdDateTime"`
	}](j, "/bookplate/batches?location="+r.UID) {
		if b.State != "sending" || b.Sending == nil || b.People != len(asks.ClientUserIDs) || len(b.Titles) != len(asks.Assets) {
			continue
		}
		if slices.ContainsFunc(b.Titles, func(t asset) bool { return !slices.Contains(asks.Assets, t) }) {
			continue
		}
		if r.At.Sub(*b.Sending) >= fresh {
			continue
		}
		return b.Created
	}
	j.broken("sent blindly", []string{asks.Assets[0].AdamID},
		"%s spends at %s, and no batch is stored as sending with this since less than a minute", r.Process, r.UID)
	return time.Time{}
}

// synced: law 5. Nothing is spent before the first full sync has ended.
func (j *Judge) synced(r *Request) {
	if j.wasSynced[r.UID] {
		return
	}
	for _, run := range list[struct {
		Status string `json:"status"`
	}](j, "/bookplate/syncRuns?location="+r.UID+"&$top=50") {
		if run.Status == "completed" {
			j.wasSynced[r.UID] = true
			return
		}
	}
	j.broken("oversold", nil, "%s was spent at before its first sync had ended", r.UID)
}

// stock: law 5. No more than there is, less what is under way; unless somebody else took some in the last minutes. What is
// given up after the wait is no longer under way, whatever Apple makes of it later.
func (j *Judge) stock(r *Request, b Book, clients []string) {
	if at, ok := j.shrunk[b]; ok && r.At.Sub(at) <= 3*fresh || j.late(r, b) {
		j.Met["stock shrinks shortly before a sending"]++
		return
	}
	free, under := 0, 0
	for _, book := range j.sites[b.UID].Books() {
		if book.AdamID == b.AdamID && book.PricingParam == b.Pricing {
			if book.Total == unlimited {
				return
			}
			free = book.Available
		}
	}
	for _, s := range j.events {
		if s.uid == b.UID && s.request.Due.After(r.At) && r.At.Before(s.request.At.Add(j.ResendAfter)) {
			asks := s.request.asks()
			if slices.Contains(asks.Assets, asset{b.AdamID, b.Pricing}) {
				under += len(asks.ClientUserIDs)
			}
		}
	}
	if under > 0 {
		j.Met["a title is sent while some of it are under way"]++
	}
	if len(clients) > free-under {
		j.broken("oversold", []string{b.AdamID}, "%d of %s %s are asked for at %s; %d are free and %d of these under way",
			len(clients), b.AdamID, b.Pricing, b.UID, free, under)
	}
}

// late says that Apple has just given what was given up after the wait: nobody could count on that.
func (j *Judge) late(r *Request, b Book) bool {
	return slices.ContainsFunc(j.sites[b.UID].Ledger(), func(l applefake.License) bool {
		s := j.events[l.EventID]
		return s != nil && l.AdamID == b.AdamID && l.PricingParam == b.Pricing && r.At.Sub(l.At) <= 3*fresh &&
			l.At.Sub(s.request.At) >= j.ResendAfter
	})
}

const unlimited = 2147483647

// again: laws 1 and 2. A pair that was sent before is sent once more.
func (j *Judge) again(before *sending, r *Request, a asset, client string, tags []string) {
	if before.told && j.gave(before, a.AdamID, client) {
		j.broken("double spends", tags, "title %s is sent to person %s again, whom Apple lists with it and has said that it is done",
			a.AdamID, tags[1])
		return
	}
	if before.refused || before.told || j.ended(before, a.AdamID, tags[1]) {
		return
	}
	j.Met["an outcome is unknown when its pair is sent again"]++
	if before.uid != r.UID || !slices.Contains(before.request.asks().Assets, a) {
		j.broken("double spends", tags, "title %s of person %s is sent at %s as %s, and Apple's word on a sending at %s is missing",
			a.AdamID, tags[1], r.UID, a.Pricing, before.uid)
		return
	}
	from := before.request.At.Add(j.ResendAfter)
	if r.At.Before(from) {
		j.broken("sent blindly", tags, "title %s of person %s is sent again after %s", a.AdamID, tags[1],
			r.At.Sub(before.request.At))
		return
	}
	if !j.lacked(r.UID, a, client, from) {
		j.broken("sent blindly", tags, "title %s of person %s is sent again without a listing that lacks it", a.AdamID, tags[1])
	}
}

// lacked says that a listing which began from then on lacks a license.
func (j *Judge) lacked(uid string, a asset, client string, from time.Time) bool {
	for _, l := range j.lists {
		fits := l.uid == uid && !l.at.Before(from) && (l.query.adamID == "" || l.query.adamID == a.AdamID) &&
			(l.query.client == "" || l.query.client == client)
		if fits && !slices.Contains(l.rows, row{a, client}) {
			return true
		}
	}
	return false
}

// gave says that Apple lists a license that a sending has given.
func (j *Judge) gave(s *sending, adamID, client string) bool {
	for l := range j.sites[s.uid].Licenses() {
		if l.AdamID == adamID && l.ClientUserID == client && l.EventID == s.event {
			return true
		}
	}
	return false
}

// ended says that Apple has listed since what a sending asked for: it gives nobody a second license of one asset, so that
// whatever that request may still do costs nothing. If the license is gone again, the person may get the title anew.
func (j *Judge) ended(s *sending, adamID, person string) bool {
	for _, l := range j.sites[s.uid].Ledger() {
		asked := slices.Contains(s.request.asks().Assets, asset{l.AdamID, l.PricingParam})
		if l.AdamID == adamID && asked && !l.At.Before(s.request.At) && j.people[s.uid+" "+l.ClientUserID] == person {
			return true
		}
	}
	return false
}

// End takes note of a request's end; event is the one that Apple made of it, whether or not the answer said so.
func (j *Judge) End(r *Request, event string) {
	said := r.said()
	if r.Path == "/client/config" && r.writes() {
		j.endClaim(r)
		return
	}
	if r.spends() {
		j.endSpend(r, event)
	}
	j.owner(r, said)
	switch {
	case r.Status != http.StatusOK:
	case r.Path == "/status" && (said.EventStatus == "COMPLETE" || said.EventStatus == "FAILED"):
		if s := j.events[r.Query.Get("eventId")]; s != nil {
			s.told = true
		}
	case r.Path == "/assignments" && !r.Query.Has("sinceVersionId"):
		l := listing{at: r.At, uid: r.UID, rows: said.Assignments}
		l.query.adamID, l.query.client = r.Query.Get("adamId"), r.Query.Get("clientUserId")
		j.lists = append(j.lists, l)
	}
}

func (j *Judge) endSpend(r *Request, event string) {
	for i, s := range j.open {
		if s.request == r {
			s.event, s.refused = event, r.refused()
			if event != "" {
				j.events[event] = s
			}
			j.open = slices.Delete(j.open, i, i+1)
			break
		}
	}
	if event != "" && r.Status == 0 {
		j.Met["an answer to a sending is lost"]++
	}
}
