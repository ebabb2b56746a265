package tabletest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

const workers = 8

var concurrencyLaws = []law{
	{"optimistic increments lose no update", func(b *bench) {
		const each = 8
		b.put("n", "0")
		b.must(inParallel(b, func(int) error {
			for done := 0; done < each; {
				item, _, err := b.engine.Get(b.Context(), b.key("n"))
				if err != nil {
					return err
				}
				n, err := strconv.Atoi(string(item.Body))
				if err != nil {
					return err
				}
				err = b.try(newID(), table.Put(b.item("n", strconv.Itoa(n+1)), table.At(item.Version)))
				if err == nil {
					done++
				} else if !errors.Is(err, table.ErrCondition) {
					return err
				}
			}
			return nil
		}))
		b.wantBody("n", strconv.Itoa(workers*each))
	}},
	{"of many who put an absent key one wins", func(b *bench) {
		var won atomic.Int32
		b.must(inParallel(b, func(i int) error {
			err := b.try(newID(), table.Put(b.item("a", strconv.Itoa(i)), table.Absent()))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, table.ErrCondition) {
				return err
			}
			return nil
		}))
		wantEqual(b, "winners", won.Load(), 1)
	}},
	{"a token used by many at once happens once", func(b *bench) {
		version := b.put("a", "0")
		token := newID()
		ops := []table.Op{
			table.Put(b.item("a", "1"), table.At(version)), table.Put(b.item("log", "1"), table.Absent()),
		}
		b.must(inParallel(b, func(int) error { return b.try(token, ops...) }))
		wantEqual(b, "version", b.get(b.key("a")).Version, token)
	}},
}

func inParallel(b *bench, task func(i int) error) error {
	return world.Real().Run(b.Context(), workers, workers, func(_ context.Context, i int) error {
		if err := task(i); err != nil {
			return fmt.Errorf("worker %d: %w", i, err)
		}
		return nil
	})
}
