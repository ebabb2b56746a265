package play

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
)

// engine is the table as a process reaches it.
type engine struct {
	process *process
	*mem.Table
}

var errTable = errors.New("the table answers with an error")

// Get and all other methods are the port's.
func (e engine) Get(ctx context.Context, key table.Key) (table.Item, table.Units, error) {
	if err := e.read(); err != nil {
		return table.Item{}, table.Units{}, err
	}
	return e.Table.Get(ctx, key)
}

// GetMany is the port's.
func (e engine) GetMany(ctx context.Context, keys []table.Key) ([]table.Item, table.Units, error) {
	if err := e.read(); err != nil {
		return nil, table.Units{}, err
	}
	return e.Table.GetMany(ctx, keys)
}

// Query is the port's.
func (e engine) Query(ctx context.Context, r table.Range) (table.Page, error) {
	if err := e.read(); err != nil {
		return table.Page{}, err
	}
	return e.Table.Query(ctx, r)
}

// QueryIndex is the port's.
func (e engine) QueryIndex(ctx context.Context, i table.Index, r table.Range) (table.IndexPage, error) {
	if err := e.read(); err != nil {
		return table.IndexPage{}, err
	}
	return e.Table.QueryIndex(ctx, i, r)
}

func (e engine) read() error {
	e.process.lives()
	if e.process.play.weather.strikes(tableFailed) {
		return errTable
	}
	return nil
}

// Commit is the port's.
func (e engine) Commit(ctx context.Context, token string, ops ...table.Op) (u table.Units, err error) {
	err = e.write(func() error {
		u, err = e.Table.Commit(ctx, token, ops...)
		if err == nil {
			e.process.play.transitions(ops)
			e.process.play.reasons(ops)
			e.process.play.turns(ops)
		}
		return err
	})
	return u, err
}

// PutMany is the port's.
func (e engine) PutMany(ctx context.Context, token string, items ...table.Item) (left []table.Item, u table.Units, err error) {
	err = e.write(func() error {
		left, u, err = e.Table.PutMany(ctx, token, items...)
		return err
	})
	return left, u, err
}

// DeleteMany is the port's.
func (e engine) DeleteMany(ctx context.Context, keys ...table.Key) (left []table.Key, u table.Units, err error) {
	err = e.write(func() error {
		left, u, err = e.Table.DeleteMany(ctx, keys...)
		return err
	})
	return left, u, err
}

// write is a write with all that may go wrong around it.
func (e engine) write(do func() error) error {
	s, w := e.process, e.process.play.weather
	s.lives()
	if w.strikes(crashBeforeCommit) {
		s.dies()
	}
	s.mayFreeze(freezeCommit)
	if w.strikes(tableFailed) {
		return errTable
	}
	if err := do(); err != nil {
		return err
	}
	if w.strikes(crashAfterCommit) {
		s.dies()
	}
	s.mayFreeze(freezeCommit)
	if w.strikes(tableFailedAfter) {
		return errTable
	}
	return nil
}

// transitions counts what becomes of batches.
func (p *Play) transitions(ops []table.Op) {
	for _, op := range ops {
		if !strings.HasPrefix(op.Item.Key.Part, "batches#") || op.Item.Body == nil {
			continue
		}
		var b struct{ ID, State string }
		if json.Unmarshal(op.Item.Body, &b) != nil || b.State == p.batches[b.ID] {
			continue
		}
		from := p.batches[b.ID]
		if from == "" {
			from = "new"
		}
		p.count("transition: " + from + " → " + b.State)
		p.batches[b.ID] = b.State
		p.tell(false, "batch %s: %s → %s", b.ID, from, b.State)
	}
}

// turns counts what has waited its turn, and was still to be given when that came.
func (p *Play) turns(ops []table.Op) {
	for _, op := range ops {
		if !strings.HasPrefix(op.Item.Key.Part, "backlog#") || op.Item.Body == nil {
			continue
		}
		var b struct {
			Since       time.Time
			Next, Turns int
		}
		if json.Unmarshal(op.Item.Body, &b) != nil || b.Turns == 0 {
			continue
		}
		switch waited := p.clock.Now().Sub(b.Since); {
		case b.Next > 0 && waited > 10*time.Second:
			p.count("backlog: a turn is taken after a while")
		case b.Next == 0 && waited > 10*time.Second:
			p.count("backlog: some turns outlast a look")
		}
	}
}

// reasons counts why people wait.
func (p *Play) reasons(ops []table.Op) {
	for _, op := range ops {
		if !strings.HasPrefix(op.Item.Key.Part, "title#") {
			continue
		}
		if _, rest, waits := strings.Cut(string(op.Item.Body), `"reason":"`); waits {
			reason, _, _ := strings.Cut(rest, `"`)
			p.count("reason: " + reason)
		}
	}
}
