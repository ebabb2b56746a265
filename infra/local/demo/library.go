package demo

import (
	"fmt"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// Title is one that the tour assigns.
type Title struct {
	AdamID, Name, Author, Genre string
	Licenses                    int // 0: without end
}

// Titles are those that the tour assigns. ScarceTitle is the one that isn't enough for all.
var (
	ClassSet    = [...]Title{algebra, tide, winter}
	ScarceTitle = Title{"900000004", "The Only Map of the Island", "Vera Quayle", "Mysteries & Thrillers", 12}

	algebra = Title{"900000001", "The Lighthouse Algebra", "Ines Marchetti", "Mathematics", 90}
	tide    = Title{"900000002", "Physics of the Tide", "Rosa Lindqvist", "Science & Nature", 100}
	winter  = Title{"900000003", "A Grammar of Winter", "Oskar Novak", "Textbooks", 80}
)

func stock() []applefake.Stock {
	others := []Title{
		{"900000005", "A Free Primer", "Priya Okafor", "Textbooks", 0},
		{"900000006", "Rivers, Roads and Rail", "Tomas Brandt", "Geography", 40},
		{"900000007", "The Patient Gardener", "Mei Tanaka", "Science & Nature", 25},
	}
	var list []applefake.Stock
	for _, t := range append(append(ClassSet[:], ScarceTitle), others...) {
		list = append(list, applefake.Stock{
			AdamID: t.AdamID, Total: t.Licenses, Unlimited: t.Licenses == 0,
			Title: applefake.Title{
				Name: t.Name, Author: t.Author, Genres: []string{t.Genre, "Books"}, ReleaseDate: "2019-09-01",
				Description: t.Name + ", by " + t.Author + ". A made-up book for trying things out.",
			},
		})
	}
	return append(list, applefake.Stock{
		AdamID: "900000008", Total: 10, App: true, Title: applefake.Title{Name: "Pocket Telescope", Author: "Hugo Zeller"},
	})
}

// Somebody is the userName of one of the school's people, who gets books in the tour.
const Somebody = "amina.abele@" + Domain

// Person is somebody of the school.
type Person struct{ UserName, GivenName, FamilyName string }

// Group is a group of the school, by its members' userNames, or of devices by their names.
type Group struct {
	Name    string
	Members []string
	Devices []string
}

// Groups that the tour assigns books to.
const (
	Group7A     = "Year 7 A"
	Group7B     = "Year 7 B"
	GroupClub   = "Reading Club"
	GroupIPads  = "iPads of the library"
	people      = 400
	perGroup    = 37 // in eleven groups; the last has what is left
	withoutMAA  = 20 // every so-manieth has no Managed Apple Account
	groupOfIPad = 8
)

// School returns the school's 400 people and its 12 groups: eleven of people and one of devices. One person in twenty
// has no Managed Apple Account, and one person is in two groups.
func School() ([]Person, []Group) {
	given := [...]string{
		"Amina", "Ben", "Carla", "Dario", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Leo", "Mila", "Noah",
		"Olga", "Paul", "Quinn", "Rosa", "Sami", "Tara",
	}
	family := [...]string{
		"Abele", "Berg", "Costa", "Duarte", "Eriksen", "Fontana", "Grau", "Haas", "Ito", "Jansen", "Keller", "Lund",
		"Moreau", "Nowak", "Okoye", "Petrov", "Quist", "Rossi", "Santos", "Thal",
	}
	names := [...]string{
		Group7A, Group7B, "Year 8 A", "Year 8 B", "Year 9 A", "Year 9 B", "Year 10 A", "Year 10 B", "Year 11 A", "Year 11 B",
		GroupClub,
	}
	var list []Person
	groups := make([]Group, len(names))
	for i := range groups {
		groups[i].Name = names[i]
	}
	for i := range people {
		p := Person{GivenName: given[i%len(given)], FamilyName: family[i/len(given)]}
		domain := Domain
		if i%withoutMAA == 7 {
			domain = "parents.example"
		}
		p.UserName = fmt.Sprintf("%s.%s@%s", lower(p.GivenName), lower(p.FamilyName), domain)
		list = append(list, p)
		g := &groups[i/perGroup]
		g.Members = append(g.Members, p.UserName)
	}
	groups[1].Members = append(groups[1].Members, list[0].UserName) // the first of 7 A is in 7 B too
	ipads := Group{Name: GroupIPads}
	for i := range groupOfIPad {
		ipads.Devices = append(ipads.Devices, fmt.Sprintf("ipad-%02d", i+1))
	}
	return list, append(groups, ipads)
}

func lower(s string) string {
	return string(s[0]|0x20) + s[1:]
}
