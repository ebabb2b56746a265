package judge

import "encoding/json"

// Law 4: never on someone else's location.

// beginWrite: a process that has heard of another owner writes no more; nor does any other, a minute later.
func (j *Judge) beginWrite(r *Request) {
	if j.foreign[r.UID][r.Process] {
		j.broken("on a foreign location", nil, "%s writes %s at %s after an answer named another owner", r.Process, r.Path, r.UID)
	}
	if at, ok := j.heard[r.UID]; ok && r.At.Sub(at) > 2*fresh {
		j.broken("on a foreign location", nil, "%s writes %s at %s, %s after an answer named another owner", r.Process, r.Path,
			r.UID, r.At.Sub(at))
	}
}

// beginClaim: a process that has heard who manages the location takes their place by order only.
func (j *Judge) beginClaim(r *Request) {
	var body struct {
		MDMInfo struct{ ID string } `json:"mdmInfo"`
	}
	_ = json.Unmarshal(r.Body, &body) // what isn't JSON claims nothing
	owner := j.named[r.Process+" "+r.UID]
	if owner == "" || owner == body.MDMInfo.ID {
		return
	}
	if !j.orders[r.Process] {
		j.broken("on a foreign location", nil, "%s claims %s without an order, after an answer named %s", r.Process, r.UID, owner)
	}
	j.Met["a claim replaces another owner"]++
}

// endClaim: once Apple names us again, what was heard before no longer binds.
func (j *Judge) endClaim(r *Request) {
	if info := j.sites[r.UID].MDMInfo(); info != nil && info.ID == j.ours[r.UID] {
		j.Ordered(r.UID)
	}
}

// Order says that a process has the order to take a location over from whoever manages it.
func (j *Judge) Order(process string) { j.orders[process] = true }

// Ordered says that an administrator has told us to go on at a location: what was heard before no longer binds.
func (j *Judge) Ordered(uid string) {
	delete(j.foreign, uid)
	delete(j.heard, uid)
	delete(j.heardBy, uid)
}

// owner notes that an answer named another owner.
func (j *Judge) owner(r *Request, s said) {
	if s.MDMInfo != nil && r.UID != "" {
		j.named[r.Process+" "+r.UID] = s.MDMInfo.ID
	}
	if s.MDMInfo == nil || s.MDMInfo.ID == "" || r.UID == "" || s.MDMInfo.ID == j.ours[r.UID] || j.ours[r.UID] == "" {
		return
	}
	if j.foreign[r.UID] == nil {
		j.foreign[r.UID] = map[string]bool{}
	}
	j.foreign[r.UID][r.Process] = true
	if _, ok := j.heard[r.UID]; !ok {
		j.heard[r.UID] = r.At
		j.heardBy[r.UID] = r.Process
		j.Met["an answer names another owner"]++
	}
}

// Lost says that a process has ended without its work done: what it alone had heard, nobody knows.
func (j *Judge) Lost(process string) {
	for uid, by := range j.heardBy {
		if by == process {
			delete(j.heard, uid)
			delete(j.heardBy, uid)
		}
	}
}

// Claimed says as whom we manage a location.
func (j *Judge) Claimed(uid, mdmID string) { j.ours[uid] = mdmID }
