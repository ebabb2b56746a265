package tour

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bookplate/bookplate/infra/local/demo"
)

// wishes are the groups that each title is assigned to.
func wishes(adamID string) []string {
	if adamID == demo.ScarceTitle.AdamID {
		return []string{demo.GroupClub}
	}
	return []string{demo.Group7A, demo.Group7B}
}

func (t *Tour) assignBody(groups ...string) object {
	var list []object
	for _, name := range groups {
		list = append(list, object{
			"installIntent": "required",
			"target":        object{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": t.groups[name]},
		})
	}
	return object{"managedEBookAssignments": list}
}

func (t *Tour) bookPath(adamID, action string) string {
	return "/v1.0/deviceAppManagement/managedEBooks/" + t.books[adamID].ID + "/" + action
}

type planEntity struct {
	Give       int    `json:"willReceive"`
	Wait       int    `json:"willWait"`
	Refuse     int    `json:"refused"`
	FreeBefore *int   `json:"freeBefore"`
	FreeAfter  *int   `json:"freeAfter"`
	Counted    string `json:"countedDateTime"`
	Reasons    []struct {
		Count int
		Text  string
	}
}

// plan shows what the assignments would spend.
func (t *Tour) plan(ctx context.Context) error {
	t.screen.begin("Plan: nothing is spent yet")
	var rows [][]string
	for _, title := range assigned() {
		var p planEntity
		groups := wishes(title.AdamID)
		if err := t.admin.post(ctx, t.bookPath(title.AdamID, "bookplate.plan"), t.assignBody(groups...), &p); err != nil {
			return err
		}
		var why []string
		for _, r := range p.Reasons {
			why = append(why, fmt.Sprintf("%d: %s", r.Count, r.Text))
		}
		rows = append(rows, []string{
			title.Name, strings.Join(groups, ", "), strconv.Itoa(p.Give), strconv.Itoa(p.Wait), strconv.Itoa(p.Refuse),
			number(p.FreeBefore) + " → " + number(p.FreeAfter), strings.Join(why, " "),
		})
	}
	t.screen.end("")
	t.screen.table([]string{"Title", "For", "Get it", "Wait", "Refused", "Free", "Why"}, rows)
	return nil
}

func number(n *int) string {
	if n == nil {
		return "∞"
	}
	return strconv.Itoa(*n)
}

// refusal shows that a group of devices can't have a book.
func (t *Tour) refusal(ctx context.Context) error {
	t.screen.begin("A group of devices is refused")
	err := t.admin.post(ctx, t.bookPath(demo.ScarceTitle.AdamID, "assign"), t.assignBody(demo.GroupIPads), nil)
	if err == nil {
		return fmt.Errorf("the group %s was not refused", demo.GroupIPads)
	}
	t.screen.end("as it must be")
	t.screen.note("%v", err)
	return nil
}

func (t *Tour) assign(ctx context.Context) error {
	t.screen.begin("Assign as required")
	for _, title := range assigned() {
		body := t.assignBody(wishes(title.AdamID)...)
		if err := t.admin.post(ctx, t.bookPath(title.AdamID, "assign"), body, nil); err != nil {
			return err
		}
	}
	t.screen.end(fmt.Sprintf("%d titles", len(assigned())))
	return nil
}

type grantEntity struct {
	State  string `json:"state"`
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

// why is the reason without what differs from person to person: the first sentence ("All licenses are given.") without
// the place in the line that follows it.
func (g grantEntity) why() string {
	first, _, more := strings.Cut(g.Text, ". ")
	if more {
		return first + "."
	}
	return first
}

// tally is how the grants of a title stand.
type tally struct {
	asked, given, open int
	waiting            map[string]int // by why
}

func (t *Tour) tally(ctx context.Context, adamID string) (tally, error) {
	grants, err := list[grantEntity](ctx, t.admin, "/v1.0/bookplate/grants?book="+t.books[adamID].ID)
	sum := tally{waiting: make(map[string]int)}
	for _, g := range grants {
		sum.asked++
		switch {
		case g.State == "licensed":
			sum.given++
		case g.State == "waiting" && g.Reason != "notAtApple" && g.Reason != "onHold" && g.Reason != "notSynced" &&
			g.Reason != "underway":
			sum.waiting[g.why()]++
		case g.State == "refused":
			sum.waiting[g.why()]++
		default:
			sum.open++
		}
	}
	return sum, err
}

// watch waits until everybody has the title or a reason to wait that time alone doesn't end.
func (t *Tour) watch(ctx context.Context) error {
	t.screen.begin("Apple grants the licenses")
	given := 0
	err := wait(ctx, t.patience(), func() (bool, error) {
		open := 0
		given = 0
		for _, title := range assigned() {
			sum, err := t.tally(ctx, title.AdamID)
			if err != nil {
				return false, err
			}
			given += sum.given
			if open += sum.open; sum.asked == 0 {
				open++
			}
		}
		t.screen.progress(fmt.Sprintf("%d given, %d open", given, open))
		return open == 0, nil
	})
	if err != nil {
		return err
	}
	t.screen.end(fmt.Sprintf("%d licenses given", given))
	return nil
}

// result reads the counts from Apple once more and shows who got what.
func (t *Tour) result(ctx context.Context) error {
	t.screen.begin("Who has what")
	if err := t.resync(ctx); err != nil {
		return err
	}
	after, err := t.readBooks(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, title := range assigned() {
		sum, err := t.tally(ctx, title.AdamID)
		if err != nil {
			return err
		}
		var why []string
		for text, n := range sum.waiting {
			why = append(why, fmt.Sprintf("%d: %s", n, text))
		}
		slices.Sort(why)
		waits := 0
		for _, n := range sum.waiting {
			waits += n
		}
		rows = append(rows, []string{
			title.Name, strconv.Itoa(sum.asked), strconv.Itoa(sum.given), strconv.Itoa(waits),
			strconv.Itoa(t.before[title.AdamID].Available), strconv.Itoa(after[title.AdamID].Available), strings.Join(why, " "),
		})
	}
	t.screen.end("")
	t.screen.table([]string{"Title", "Asked", "Granted", "Waiting", "Stock before", "after", "Why they wait"}, rows)
	return nil
}

func (t *Tour) resync(ctx context.Context) error {
	tokens, err := list[syncedToken](ctx, t.admin, tokensPath)
	if err != nil || len(tokens) == 0 {
		return err
	}
	last := tokens[0].LastSync
	if err := t.admin.do(ctx, "POST", tokensPath+"/"+tokens[0].ID+"/syncLicenses", "", nil, nil); err != nil {
		return err
	}
	return wait(ctx, time.Minute, func() (bool, error) {
		tokens, err := list[syncedToken](ctx, t.admin, tokensPath)
		return err == nil && len(tokens) > 0 && tokens[0].LastSync.After(last) && tokens[0].Status == "completed", err
	})
}

type syncedToken struct {
	ID       string    `json:"id"`
	LastSync time.Time `json:"lastSyncDateTime"`
	Status   string    `json:"lastSyncStatus"`
}
