package apple

import (
	"context"
	"net/url"
)

// Associate asks Apple to give every asset to every user: it spends. The answer only says that Apple has taken the
// request in; what became of it is the event's to say. It is started at most once, and not at or after a.NotAfter.
//
// An error that matches neither ErrNotSent nor *Error leaves open what happened. Then the event's id is returned too,
// if Apple gave one (its answer may have named a foreign owner).
func (l *Location) Associate(ctx context.Context, a Association) (eventID string, err error) {
	return l.queue(ctx, &call{
		endpoint: associateAssets, doing: "giving books", spends: true, notAfter: a.NotAfter,
		body: struct {
			Assets        []AssetKey `json:"assets"`
			ClientUserIDs []string   `json:"clientUserIds"`
		}{a.Assets, a.ClientUserIDs},
	})
}

// CreateUsers asks Apple to create users, with their ends as Associate's.
func (l *Location) CreateUsers(ctx context.Context, users []NewUser) (eventID string, err error) {
	return l.queue(ctx, &call{
		endpoint: createUsers, doing: "creating users", body: map[string][]NewUser{"users": users},
	})
}

// UpdateUsers asks Apple to update users, with their ends as Associate's.
func (l *Location) UpdateUsers(ctx context.Context, users []NewUser) (eventID string, err error) {
	return l.queue(ctx, &call{
		endpoint: updateUsers, doing: "updating users", body: map[string][]NewUser{"users": users},
	})
}

// RetireUsers asks Apple to retire users, with its ends as Associate's. Their books stay with their Apple Accounts: only
// what can be taken back is (Apple: Managing users). Apple refuses those whom it doesn't know or has retired, with 9609.
func (l *Location) RetireUsers(ctx context.Context, clientUserIDs []string) (eventID string, err error) {
	users := make([]NewUser, len(clientUserIDs))
	for i, id := range clientUserIDs {
		users[i].ClientUserID = id
	}
	return l.queue(ctx, &call{
		endpoint: retireUsers, doing: "retiring users", body: map[string][]NewUser{"users": users},
	})
}

// queue makes a write that Apple carries out later.
func (l *Location) queue(ctx context.Context, c *call) (eventID string, err error) {
	c.answer = func() fields { return fields{"eventId": &eventID} }
	c.whole = func() bool { return eventID != "" }
	_, err = l.write(ctx, c)
	return eventID, err
}

// Event reads the state of an asynchronous request. Apple: ask no earlier than 5 minutes after it where notifications
// work, and no more often than every 30 s.
func (l *Location) Event(ctx context.Context, eventID string) (Event, error) {
	event := Event{ID: eventID}
	var failures []failure
	c := &call{
		endpoint: eventStatus, doing: "reading the state of a request", query: url.Values{"eventId": {eventID}},
		answer: func() fields {
			event, failures = Event{ID: eventID}, nil
			return fields{
				"eventStatus": &event.Status, "eventType": &event.Type, "numRequested": &event.Requested,
				"numCompleted": &event.Completed, "failures": rows(&failures),
			}
		},
		whole: func() bool { return event.Status != "" },
	}
	if _, err := l.read(ctx, c); err != nil {
		return Event{}, err
	}
	for _, f := range failures {
		event.Failures = append(event.Failures, Failure{f.Number, shorten(f.Message), f.Info})
	}
	return event, nil
}

// failure is a Failure as Apple writes it.
type failure struct {
	Number  int       `json:"errorNumber"`
	Message string    `json:"errorMessage"`
	Info    ErrorInfo `json:"errorInfo"`
}
