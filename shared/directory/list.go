package directory

import (
	"context"
	"iter"

	"github.com/bookplate/bookplate/shared/table"
)

// ListPeople returns count people from the offset (from 0) on, in an order that stays the same while nobody comes or
// goes, and how many there are. It reads the whole directory to count: for a provider's import, not for the domain.
func (d *Directory) ListPeople(ctx context.Context, offset, count int) (page []Person, total int, err error) {
	return list(ctx, d, "people#", offset, count, func(item table.Item) (Person, error) {
		doc, err := table.Decode[Person](item)
		return personOf(doc), err
	})
}

// ListGroups returns groups in the same manner.
func (d *Directory) ListGroups(ctx context.Context, offset, count int) (page []Group, total int, err error) {
	return list(ctx, d, "groups#", offset, count, func(item table.Item) (Group, error) {
		doc, err := table.Decode[groupBody](item)
		return groupOf(doc), err
	})
}

// tombstone is what the bodies of people and groups have in common.
type tombstone struct {
	Deleted bool `json:"deleted"`
}

// list counts the sixteen partitions side by side, then walks those that hold the page.
func list[T any](
	ctx context.Context, d *Directory, prefix string, offset, count int, decode func(table.Item) (T, error),
) (page []T, total int, err error) {
	var counts [len(shards)]int
	err = d.world.Run(ctx, 8, len(shards), func(ctx context.Context, i int) error {
		for _, err := range d.eachLive(ctx, prefix, i) {
			if err != nil {
				return err
			}
			counts[i]++
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	before := offset // how many still stand before the page
	for i, n := range counts {
		total += n
		if before >= n || len(page) == count {
			before -= min(before, n)
			continue
		}
		for item, err := range d.eachLive(ctx, prefix, i) {
			if err != nil {
				return nil, 0, err
			}
			if before > 0 {
				before--
				continue
			}
			if len(page) == count {
				break
			}
			one, err := decode(item)
			if err != nil {
				return nil, 0, err
			}
			page = append(page, one)
		}
	}
	return page, total, nil
}

// eachLive walks the items of one partition that aren't deleted.
func (d *Directory) eachLive(ctx context.Context, prefix string, shard int) iter.Seq2[table.Item, error] {
	return func(yield func(table.Item, error) bool) {
		part := table.Range{Part: prefix + shards[shard:][:1]}
		for doc, err := range table.Docs[tombstone](d.store.Each(ctx, part)) {
			if err == nil && doc.Value.Deleted {
				continue
			}
			if !yield(doc.Item, err) || err != nil {
				return
			}
		}
	}
}

// Everyone walks all people who aren't deleted, in a stable order that isn't alphabetical.
func (r *Reader) Everyone(ctx context.Context) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		for _, shard := range shards {
			for doc, err := range table.Docs[Person](r.read.Each(ctx, table.Range{Part: "people#" + string(shard)})) {
				if err == nil && doc.Value.Deleted {
					continue
				}
				if !yield(personOf(doc), err) || err != nil {
					return
				}
			}
		}
	}
}
