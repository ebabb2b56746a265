package applefake

// Library is the demonstration library of a school: the given generated content, which someone else has given out before,
// and a few titles of which the stock is worth watching. Its managed accounts are those of the domain.
//
//	900000001  a book, 30 licenses
//	900000002  a book, 5 licenses: soon sold out
//	900000003  a book, 1 license
//	900000004  a book, 12 licenses in standard and 3 in high quality
//	900000005  a free book that never runs out
//	900000006  a book, 20 licenses, that the catalog no longer knows
//	900000007  an app, 10 licenses
func Library(domain string, generated Generated) LocationSpec {
	title := func(name, author, genre string) Title {
		return Title{
			Name: name, Author: author, Genres: []string{genre, "Books"}, ReleaseDate: "2019-09-01",
			Description: name + ", by " + author + ". A made-up book for trying things out.",
		}
	}
	tide := title("Physics of the Tide", "Rosa Lindqvist", "Science & Nature")
	return LocationSpec{
		Name: "School Library", Country: "US", Platform: Education, Org: "MADE-UP-SCHOOL", Domains: []string{domain},
		Generated: generated,
		Stock: []Stock{
			{AdamID: "900000001", Total: 30, Title: title("The Lighthouse Algebra", "Ines Marchetti", "Mathematics")},
			{AdamID: "900000002", Total: 5, Title: title("Five Copies of Winter", "Oskar Novak", "Fiction & Literature")},
			{AdamID: "900000003", Total: 1, Title: title("The Only Copy", "Vera Quayle", "Mysteries & Thrillers")},
			{AdamID: "900000004", Total: 12, Title: tide},
			{AdamID: "900000004", Pricing: PLUS, Total: 3, Title: tide},
			{AdamID: "900000005", Unlimited: true, Title: title("A Free Primer", "Priya Okafor", "Textbooks")},
			{AdamID: "900000006", Total: 20, NoMetadata: true},
			{AdamID: "900000007", Total: 10, App: true, Title: title("Pocket Telescope", "Hugo Zeller", "Education")},
		},
	}
}
