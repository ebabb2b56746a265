package applefake

import (
	"fmt"
	"strconv"
	"strings"
)

// Title is what the catalog says of a work.
type Title struct {
	Name        string   `json:"name,omitempty"`
	Author      string   `json:"author,omitempty"`
	Genres      []string `json:"genres,omitempty"`
	Description string   `json:"description,omitempty"`
	ReleaseDate string   `json:"releaseDate,omitempty"` // yyyy-mm-dd
}

// Words of generated titles. Their combinations are made up; the numbers of adjectives and nouns have no common divisor,
// so that counting both up together meets every pair once.
var (
	adjectives = [...]string{
		"Amber", "Ancient", "Borrowed", "Bright", "Broken", "Careful", "Clever", "Crooked", "Distant", "Early",
		"Electric", "Empty", "Endless", "Familiar", "Fearless", "Forgotten", "Gentle", "Golden", "Hidden", "Hollow",
		"Honest", "Hungry", "Invisible", "Last", "Little", "Lonely", "Lost", "Midnight", "Northern", "Paper",
		"Patient", "Quiet", "Restless", "Scarlet", "Second", "Silver", "Stubborn", "Sunken", "Unlikely", "Winter",
	}
	nouns = [...]string{
		"Algebra", "Archive", "Atlas", "Balloon", "Beekeeper", "Bridge", "Cartographer", "Chemistry", "Clockmaker",
		"Comet", "Compass", "Continent", "Garden", "Geometry", "Glacier", "Harbor", "Island", "Lantern", "Letter",
		"Library", "Lighthouse", "Machine", "Meadow", "Mountain", "Museum", "Navigator", "Ocean", "Orchard",
		"Orchestra", "Physicist", "River", "School", "Season", "Shadow", "Station", "Summer", "Telescope", "Theorem",
		"Voyage", "Watershed", "Window",
	}
	forms  = [...]string{"The %a %n", "%a %n", "A History of the %a %n", "The %n and the %a Road", "Letters from the %a %n"}
	firsts = [...]string{
		"Amara", "Benedikt", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Keiko", "Lucia",
		"Marta", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Samuel", "Tamar", "Ulrich", "Vera", "Wanda", "Yusuf",
	}
	lasts = [...]string{
		"Abara", "Bergstrom", "Castellan", "Dunmore", "Eriksen", "Fontaine", "Grunwald", "Hashimoto", "Ivers", "Jansson",
		"Kowalczyk", "Lindqvist", "Marchetti", "Novak", "Okafor", "Petrosyan", "Quayle", "Rasmussen", "Sandoval",
		"Thornbury", "Umarov", "Vasquez", "Whitlock", "Yamada", "Zeller",
	}
	genres = [...][]string{
		{"Fiction & Literature", "Books"},
		{"Science & Nature", "Books"},
		{"History", "Books"},
		{"Textbooks", "Books"},
		{"Children & Teens", "Books"},
		{"Biographies & Memoirs", "Books"},
		{"Mysteries & Thrillers", "Books"},
		{"Arts & Entertainment", "Books"},
		{"Sci-Fi & Fantasy", "Books"},
		{"Mathematics", "Textbooks", "Books"},
	}
)

// madeUpTitle makes the title with number n; the first 1,640 names differ in words, later ones say their volume.
func madeUpTitle(n int, mix uint64) Title {
	name := strings.NewReplacer("%a", adjectives[n%len(adjectives)], "%n", nouns[n%len(nouns)]).
		Replace(forms[mix%uint64(len(forms))])
	if volume := n/(len(adjectives)*len(nouns)) + 1; volume > 1 {
		name += ", Volume " + strconv.Itoa(volume)
	}
	author := firsts[mix>>8%uint64(len(firsts))] + " " + lasts[mix>>16%uint64(len(lasts))]
	genre := genres[mix>>24%uint64(len(genres))]
	return Title{
		Name: name, Author: author, Genres: genre,
		ReleaseDate: fmt.Sprintf("%d-%02d-%02d", 1998+mix>>32%27, 1+mix>>40%12, 1+mix>>48%28),
		Description: name + " is a made-up book by " + author + ", who doesn't exist either. Filed under " + genre[0] + ".",
	}
}
