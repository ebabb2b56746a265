package measure

import (
	"context"
	"sync"

	"github.com/bookplate/bookplate/shared/table"
)

// Calls is what an engine was asked for.
type Calls struct {
	Commits    int // calls
	Written    int // items put or deleted, by whatever call
	Reads      int // calls
	Read       int // items and index entries returned
	ReadUnits  float64
	WriteUnits float64
}

// Sub is what came after an earlier count.
func (c Calls) Sub(earlier Calls) Calls {
	return Calls{
		c.Commits - earlier.Commits, c.Written - earlier.Written, c.Reads - earlier.Reads, c.Read - earlier.Read,
		c.ReadUnits - earlier.ReadUnits, c.WriteUnits - earlier.WriteUnits,
	}
}

// Engine is a table that counts what it is asked for. It is safe for concurrent use as far as the engine in it is.
type Engine struct {
	engine table.Engine
	mu     sync.Mutex
	calls  Calls
}

// NewEngine returns a counter before an engine.
func NewEngine(engine table.Engine) *Engine { return &Engine{engine: engine} }

// Width passes on how many calls serve the engine best at once.
func (e *Engine) Width() int { return table.WidthOf(e.engine) }

// Calls is what was asked for so far.
func (e *Engine) Calls() Calls {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

func (e *Engine) add(c Calls, u table.Units) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls.Commits += c.Commits
	e.calls.Written += c.Written
	e.calls.Reads += c.Reads
	e.calls.Read += c.Read
	e.calls.ReadUnits += u.Read
	e.calls.WriteUnits += u.Write
}

// Get implements table.Reader.
func (e *Engine) Get(ctx context.Context, key table.Key) (table.Item, table.Units, error) {
	item, units, err := e.engine.Get(ctx, key)
	c := Calls{Reads: 1}
	if err == nil {
		c.Read = 1
	}
	e.add(c, units)
	return item, units, err
}

// GetMany implements table.Reader.
func (e *Engine) GetMany(ctx context.Context, keys []table.Key) ([]table.Item, table.Units, error) {
	items, units, err := e.engine.GetMany(ctx, keys)
	e.add(Calls{Reads: 1, Read: len(items)}, units)
	return items, units, err
}

// Query implements table.Reader.
func (e *Engine) Query(ctx context.Context, r table.Range) (table.Page, error) {
	page, err := e.engine.Query(ctx, r)
	e.add(Calls{Reads: 1, Read: len(page.Items)}, page.Units)
	return page, err
}

// QueryIndex implements table.Reader.
func (e *Engine) QueryIndex(ctx context.Context, index table.Index, r table.Range) (table.IndexPage, error) {
	page, err := e.engine.QueryIndex(ctx, index, r)
	e.add(Calls{Reads: 1, Read: len(page.Entries)}, page.Units)
	return page, err
}

// Commit implements table.Writer.
func (e *Engine) Commit(ctx context.Context, token string, ops ...table.Op) (table.Units, error) {
	units, err := e.engine.Commit(ctx, token, ops...)
	c := Calls{Commits: 1}
	for _, op := range ops {
		if err == nil && op.Kind != table.OpCheck {
			c.Written++
		}
	}
	e.add(c, units)
	return units, err
}

// PutMany implements table.Writer.
func (e *Engine) PutMany(ctx context.Context, token string, items ...table.Item) ([]table.Item, table.Units, error) {
	left, units, err := e.engine.PutMany(ctx, token, items...)
	e.add(Calls{Written: len(items) - len(left)}, units)
	return left, units, err
}

// DeleteMany implements table.Writer.
func (e *Engine) DeleteMany(ctx context.Context, keys ...table.Key) ([]table.Key, table.Units, error) {
	left, units, err := e.engine.DeleteMany(ctx, keys...)
	e.add(Calls{Written: len(keys) - len(left)}, units)
	return left, units, err
}
