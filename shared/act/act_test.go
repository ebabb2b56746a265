package act_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/act"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/world"
)

func TestActsAreListedNewestFirstOverTheMonths(t *testing.T) {
	clock := world.NewVirtual(1, time.Date(2030, 1, 31, 23, 59, 59, 0, time.UTC))
	store := table.NewStore(mem.New(clock), clock.World())
	// Fractions of a second of different length, and the end of a month.
	steps := []time.Duration{0, 100 * time.Millisecond, 25 * time.Millisecond, time.Second, time.Hour}
	for i, step := range steps {
		clock.Advance(step)
		op, err := act.New(clock.World(), "ana@school.example", act.TokenRenewed, "token", fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Commit(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for cursor, more := "", true; more; more = cursor != "" {
		var acts []act.Act
		var err error
		acts, cursor, err = act.List(t.Context(), store.ReadStore, act.Months(clock.Now(), 3), 2, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range acts {
			got = append(got, a.Text)
		}
	}
	if !slices.Equal(got, []string{"4", "3", "2", "1", "0"}) {
		t.Errorf("%v", got)
	}
	january, err := act.ParseMonth("2030-01")
	if err != nil {
		t.Fatal(err)
	}
	acts, _, err := act.List(t.Context(), store.ReadStore, []time.Time{january}, 10, "")
	if err != nil || len(acts) != 3 || acts[0].By != "ana@school.example" || acts[0].ID == "" {
		t.Errorf("January: %v, %v", acts, err)
	}
}
