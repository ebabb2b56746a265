package applefake

// listing is a sequence of rows of which only the asked ones are computed.
type listing[T any] struct {
	count int
	at    func(i int) T
	keep  func(T) bool // nil: all
}

func listed[T any](rows []T) listing[T] {
	return listing[T]{count: len(rows), at: func(i int) T { return rows[i] }}
}

// then is l followed by m.
func (l listing[T]) then(m listing[T]) listing[T] {
	return listing[T]{count: l.count + m.count, at: func(i int) T {
		if i < l.count {
			return l.at(i)
		}
		return m.at(i - l.count)
	}}
}

// page returns the rows from index*size on, at most size of them, and how many rows the listing has.
func (l listing[T]) page(index, size int) (rows []T, total int) {
	first, last := index*size, index*size+size
	if l.keep == nil {
		for i := max(first, 0); i < min(last, l.count); i++ {
			rows = append(rows, l.at(i))
		}
		return rows, l.count
	}
	for i := range l.count {
		row := l.at(i)
		if !l.keep(row) {
			continue
		}
		if total >= first && total < last {
			rows = append(rows, row)
		}
		total++
	}
	return rows, total
}

// cut is the asked page of a listing with its paging fields, or 9650.
func cut[T any](c *call, l listing[T], version string) ([]T, paging, *refusal) {
	index := c.number("pageIndex", 0)
	if c.bad {
		return nil, paging{}, refuse(9602)
	}
	size := c.server.options.PageSize
	if index < 0 || index > 1<<31/size {
		return nil, paging{}, refuse(9650)
	}
	rows, total := l.page(index, size)
	pages := (total + size - 1) / size
	if index > 0 && index >= pages {
		return nil, paging{}, refuse(9650)
	}
	if pages == 0 && !c.server.options.NoPagesWhenEmpty {
		pages = 1
	}
	p := paging{CurrentPageIndex: index, Size: len(rows), TotalPages: pages, VersionID: version}
	if next := index + 1; next < pages {
		p.NextPageIndex = &next
	}
	if rows == nil {
		rows = []T{}
	}
	return rows, p, nil
}
