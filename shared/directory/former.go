package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
	"github.com/bookplate/bookplate/shared/table"
)

// FindPerson returns somebody by personId, userName or externalId, in this order, also when they were deleted; but whoever is
// there comes before whoever was. It never chooses between several people of one name: the ledger of the wrong one would look
// like the right one. Otherwise it returns a problem for whoever named the person as "person".
func (r *Reader) FindPerson(ctx context.Context, text string) (Person, error) {
	p, err := r.PersonEvenDeleted(ctx, strings.ToLower(text))
	if err == nil || problem.KindOf(err) != problem.NotFound {
		return p, err
	}
	for _, find := range []func(context.Context, string) ([]Person, error){
		r.PeopleByUserName, r.PeopleByExternalID, r.formerByUserName, r.formerByExternalID,
	} {
		people, err := find(ctx, text)
		switch {
		case err != nil:
			return Person{}, err
		case len(people) == 1:
			return people[0], nil
		case len(people) > 1:
			return Person{}, ambiguous(people)
		}
	}
	return Person{}, problem.New(problem.NotFound, "PersonNotFound",
		"There is no person with the personId, userName or "+
			"externalId %.80q, and there was none. People come from the identity provider over SCIM.", text).At("person")
}

// formerByUserName are the deleted people who had the user name, in any letter case, when they were deleted.
func (r *Reader) formerByUserName(ctx context.Context, name string) ([]Person, error) {
	return r.peopleWho(ctx, name, table.Range{Part: formerNamePart(name)}, true)
}

// formerByExternalID are the deleted people with that external id, in this exact letter case.
func (r *Reader) formerByExternalID(ctx context.Context, externalID string) ([]Person, error) {
	return r.peopleWho(ctx, externalID, table.Prefix(externalIDPart(externalID), personPrefix), true)
}

// mostNamed is how many people a problem names.
const mostNamed = 20

// ambiguous is the problem that several people answer to one text.
func ambiguous(people []Person) error {
	if !people[0].Deleted {
		return problem.New(problem.Conflict, "AmbiguousPerson", "%d people have this externalId. "+
			"Name the person by personId or userName.", len(people)).At("person")
	}
	slices.SortFunc(people, func(a, b Person) int { return b.Modified.Compare(a.Modified) })
	var named []string
	for _, p := range people[:min(len(people), mostNamed)] {
		named = append(named, fmt.Sprintf("%s (%s, deleted on %s)", p.ID, p.Name(), p.Modified.UTC().Format(time.DateOnly)))
	}
	return problem.New(problem.Conflict, "AmbiguousPerson", "%d people who were deleted had this userName or externalId. "+
		"Name the one you mean by personId: %s.", len(people), strings.Join(named, ", ")).At("person")
}
