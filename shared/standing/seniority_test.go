package standing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/license"
)

func TestWhoHasWaitedLongestComesFirst(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	line := []license.License{
		{PersonID: "unnoted"}, {PersonID: "late", Asked: late}, {PersonID: "b", Asked: early}, {PersonID: "a", Asked: early},
	}
	slices.SortFunc(line, bySeniority)
	var order []string
	for _, l := range line {
		order = append(order, l.PersonID)
	}
	if got := strings.Join(order, " "); got != "a b late unnoted" {
		t.Error(got)
	}
}
