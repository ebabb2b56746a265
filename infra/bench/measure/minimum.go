package measure

import (
	"cmp"
	"fmt"

	"github.com/bookplate/bookplate/shared/apple"
)

// Job is what was to be done, and what Apple allows a request.
type Job struct {
	Titles, Readers int
	Limits          apple.Limits // live
	PageSize        int          // rows a page
	AtOnce          int          // batches that are under way at once
}

// Least is the least that a count can be, and why.
type Least struct {
	Count int
	Why   string
}

// Licenses is how many licenses the job gives.
func (j Job) Licenses() int { return j.Titles * j.Readers }

// Least is the least number of requests of a kind with which the job can be done and every law of the product be kept.
func (j Job) Least(kind Kind) (Least, bool) {
	batches := up(j.Titles, j.Limits.MaxAssets) * up(j.Readers, j.Limits.MaxClientUserIDs)
	creates := up(j.Readers, j.Limits.MaxUsers)
	switch kind {
	case Associates:
		return Least{batches, fmt.Sprintf("⌈%d titles/%d⌉ × ⌈%d readers/%d⌉",
			j.Titles, j.Limits.MaxAssets, j.Readers, j.Limits.MaxClientUserIDs)}, true
	case Creates:
		return Least{creates, fmt.Sprintf("⌈%d readers/%d⌉", j.Readers, j.Limits.MaxUsers)}, true
	case AssociatePolls:
		return Least{batches, "one an associate"}, true
	case CreatePolls:
		return Least{creates, "one a user create"}, true
	case CountReads:
		pages := up(j.Titles, j.PageSize)
		return Least{up(batches, j.AtOnce) * pages, fmt.Sprintf("⌈%d associates/%d at once⌉ × %d page of titles",
			batches, j.AtOnce, pages)}, true
	case DeltaPages:
		return Least{up(j.Licenses(), j.PageSize), fmt.Sprintf("⌈%d licenses/%d rows⌉", j.Licenses(), j.PageSize)}, true
	case UserDeltaPages:
		return Least{up(j.Readers, j.PageSize), fmt.Sprintf("⌈%d readers/%d rows⌉", j.Readers, j.PageSize)}, true
	case LookUps:
		return Least{0, "nothing is in doubt"}, true
	}
	return Least{}, false
}

// LeastWritten is the least number of items written for a license: one reserves it for a batch before Apple is asked, one
// says that Apple has given it (laws 1 and 2).
const LeastWritten = 2

// LeastRead is the least number of items read for a license: who has the title already.
const LeastRead = 1

func up(n, size int) int {
	size = cmp.Or(max(size, 0), 1)
	return (n + size - 1) / size
}
