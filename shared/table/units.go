package table

// The unit rules are DynamoDB's documented ones ("Read and write operations", "Global secondary indexes"), so that a
// run on an embedded engine tells what it would cost. Items are measured as table/dynamo stores them, with the names of
// their attributes: pk, sk, v, b, x, and i1p, i1s, i2p, i2s for the indexes. An index projects keys only.

const (
	readUnit  = 4 << 10 // bytes
	writeUnit = 1 << 10 // bytes
)

// Size is how many bytes of the item DynamoDB counts.
func (i Item) Size() int {
	size := i.Key.size() + len("v") + len(i.Version) + len("b") + len(i.Body)
	if !i.Expires.IsZero() {
		size += len("x") + 6 // a number of ten digits
	}
	for _, place := range i.Index {
		if place != (IndexKey{}) {
			size += place.size()
		}
	}
	return size
}

// Size is how many bytes of the entry DynamoDB counts.
func (e Entry) Size() int { return e.Place.size() + e.Key.size() }

func (k Key) size() int { return len("pk") + len(k.Part) + len("sk") + len(k.Sort) }

func (k IndexKey) size() int { return len("i1p") + len(k.Part) + len("i1s") + len(k.Sort) }

// ReadUnits is what one strongly consistent read of so many bytes costs. Finding nothing costs as much as 4 KB. A page
// of a Query is one read of all its items; a GetMany reads each key by itself.
func ReadUnits(size int) Units { return Units{Read: float64(rounds(size, readUnit))} }

// IndexReadUnits is what a page of index entries of so many bytes costs: reads there are eventually consistent.
func IndexReadUnits(size int) Units { return Units{Read: float64(rounds(size, readUnit)) / 2} }

// CommitUnits is what a Commit of the ops costs that makes the changes: a transaction doubles what the items cost, but
// not what the index entries do. A check, and an op whose condition failed, cost what writing the item as it is would;
// a check that is Alone is a read.
func CommitUnits(ops []Op, changes []Change) Units {
	if Alone(ops) {
		if ops[0].Kind == OpCheck {
			return ReadUnits(sizeOf(changes[0].Before))
		}
		return changes[0].Units()
	}
	var sum Units
	for _, c := range changes {
		sum = sum.Add(c.Units()).Add(Units{Write: float64(c.itemWrites())})
	}
	return sum
}

// Units is what the change costs by itself: the larger of both items, and each index entry that comes or goes (one that
// moves does both).
func (c Change) Units() Units {
	writes := c.itemWrites()
	for _, index := range []Index{Index1, Index2} {
		before, after := c.Entries(index)
		if before == after {
			continue
		}
		for _, e := range []Entry{before, after} {
			if e != (Entry{}) {
				writes += rounds(e.Size(), writeUnit)
			}
		}
	}
	return Units{Write: float64(writes)}
}

func (c Change) itemWrites() int {
	return rounds(max(sizeOf(c.Before), sizeOf(c.After)), writeUnit)
}

func sizeOf(item *Item) int {
	if item == nil {
		return 0
	}
	return item.Size()
}

func rounds(size, unit int) int { return max(1, (size+unit-1)/unit) }
