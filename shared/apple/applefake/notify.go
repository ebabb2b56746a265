package applefake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// notifyConfig is what a location's manager has subscribed to.
type notifyConfig struct {
	url, secret string
	types       []string
}

// post is one notification on its way. At most three attempts are made, over four minutes.
type post struct {
	url, secret string
	body        []byte
	due         time.Time
	attempts    int
}

// Apple: "up to three attempts spread over 1–5 minutes", "at most 100 elements".
const (
	maxAttempts = 3
	retryEvery  = 2 * time.Minute
	maxElements = 100
)

type notification struct {
	NotificationID   string `json:"notificationId"`
	NotificationType string `json:"notificationType"`
	Notification     any    `json:"notification"`
	UID              string `json:"uId"`
}

// managed is the body of ASSET_MANAGEMENT and USER_MANAGEMENT.
type managed struct {
	EventID     string          `json:"eventId"`
	Type        string          `json:"type"`
	Result      string          `json:"result"`
	Assignments []assignmentRow `json:"assignments,omitempty"`
	Users       []userRow       `json:"users,omitempty"`
	Error       *refusal        `json:"error,omitempty"`
}

// notifyEvent makes the notifications of an event: one result, and at most one error, in each.
func (l *Location) notifyEvent(e *event) {
	result := func(number int) managed {
		m := managed{EventID: e.id, Type: string(e.op.Kind), Result: "SUCCESS"}
		if number != 0 {
			m.Result, m.Error = "FAILURE", refuse(number)
		}
		return m
	}
	if e.op.Fail != 0 {
		return // the work was never done, so there is nothing to name
	}
	mixed := l.server.options.Notify.Mixed
	assets := grouped(e.assets, func(o assetOutcome) assetOutcome {
		if mixed {
			return assetOutcome{number: o.number}
		}
		return assetOutcome{assignmentRow{AssetKey: o.row.AssetKey}, o.number}
	})
	for _, group := range assets {
		m := result(group[0].number)
		for _, o := range group {
			m.Assignments = append(m.Assignments, o.row)
		}
		l.send(e.due, "ASSET_MANAGEMENT", m)
	}
	for _, group := range grouped(e.users, func(o userOutcome) int { return o.number }) {
		m := result(group[0].number)
		for _, o := range group {
			m.Users = append(m.Users, o.row)
		}
		l.send(e.due, "USER_MANAGEMENT", m)
	}
}

// grouped cuts a list into groups of equal keys, in the order of their first rows, of at most maxElements.
func grouped[T any, K comparable](list []T, key func(T) K) [][]T {
	at := map[K]int{}
	var groups [][]T
	for _, v := range list {
		i, ok := at[key(v)]
		if !ok {
			i = len(groups)
			at[key(v)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], v)
	}
	var batches [][]T
	for _, g := range groups {
		batches = slices.AppendSeq(batches, slices.Chunk(g, maxElements))
	}
	return batches
}

func (l *Location) notifyCount(at time.Time, key AssetKey, delta int) {
	l.send(at, "ASSET_COUNT", struct {
		AssetKey
		CountDelta int `json:"countDelta"`
	}{key, delta})
}

func (l *Location) notifyAssociated(at time.Time, users ...userRow) {
	l.send(at, "USER_ASSOCIATED", struct {
		AssociatedUsers []userRow `json:"associatedUsers"`
	}{users})
}

// send puts a notification on its way if its type is subscribed, and lets go wrong what the switches say.
func (l *Location) send(at time.Time, kind string, payload any) {
	s, n := l.server, l.notify
	if l.silent || n.url == "" || !slices.Contains(n.types, kind) {
		return
	}
	p := s.post(l, kind, payload)
	chance := func(salt uint64, below int) int {
		return int(l.ids.chance(kindJitter, s.posted<<8|salt, uint64(below)))
	}
	faults := s.options.Notify
	if chance(1, 100) < faults.Drop {
		return
	}
	p.due = at.Add(time.Duration(chance(2, int(max(faults.Delay, 0))+1)))
	s.posts = append(s.posts, p)
	if chance(3, 100) < faults.Duplicate {
		again := *p
		again.due = at.Add(time.Duration(chance(4, int(max(faults.Delay, 0))+1)))
		s.posts = append(s.posts, &again)
	}
}

func (s *Server) post(l *Location, kind string, payload any) *post {
	s.posted++
	// Structs of strings, numbers and the like can always be marshaled.
	body, _ := json.Marshal(notification{l.ids.uuid(kindNotification, s.posted), kind, payload, l.uid})
	return &post{url: l.notify.url, secret: l.notify.secret, body: body}
}

// test delivers a TEST_NOTIFICATION to the URL of a client config. The lock is let go meanwhile: the receiver may call.
func (s *Server) test(c *call, body *clientConfigBody) bool {
	p := s.post(c.location, "TEST_NOTIFICATION", struct{}{})
	p.url, p.secret = *body.NotificationURL, *body.NotificationAuthToken
	s.mu.Unlock()
	err := s.deliver(c.request.Context(), p)
	s.mu.Lock()
	c.now = s.options.Clock.Now()
	c.location.settle(c.now)
	return err == nil
}

func (s *Server) deliver(ctx context.Context, p *post) error {
	if s.options.Client == nil {
		return fmt.Errorf("there is no client for notifications")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return fmt.Errorf("making a notification: %w", err)
	}
	r.Header.Set("Content-Type", mediaJSON)
	r.Header.Set("Authorization", "Bearer "+p.secret)
	answer, err := s.options.Client.Do(r)
	if err != nil {
		return fmt.Errorf("delivering a notification: %w", err)
	}
	if err := answer.Body.Close(); err != nil {
		return fmt.Errorf("delivering a notification: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("delivering a notification: the receiver answered %d", answer.StatusCode)
	}
	return nil
}

// Deliver ends the events that are due, and then makes one attempt at each notification that is due. Those that fail are
// tried again two minutes later, three times in all, and then lost. It returns how many arrived. The fake delivers
// nothing by itself: its owner calls this whenever time has passed.
func (s *Server) Deliver(ctx context.Context) (arrived int) {
	s.mu.Lock()
	now := s.options.Clock.Now()
	for _, l := range s.locations {
		l.settle(now)
	}
	var due []*post
	s.posts = slices.DeleteFunc(s.posts, func(p *post) bool {
		if p.due.After(now) {
			return false
		}
		due = append(due, p)
		return true
	})
	s.mu.Unlock()
	slices.SortStableFunc(due, func(a, b *post) int { return a.due.Compare(b.due) })
	for _, p := range due {
		if s.deliver(ctx, p) == nil {
			arrived++
			continue
		}
		if p.attempts++; p.attempts < maxAttempts {
			p.due = now.Add(retryEvery)
			s.mu.Lock()
			s.posts = append(s.posts, p)
			s.mu.Unlock()
		}
	}
	return arrived
}
