package apple

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

const titlesAtOnce = 150 // a request; Apple documents no limit, and 200 have been seen to work

// TitleQuery says in which catalog titles are looked up.
type TitleQuery struct {
	Platform string // ClientConfig.Platform
	Country  string // ClientConfig.Country
	Language string // e.g. "en"; empty means English
}

// Titles looks titles up in Apple's catalog, 150 a request. Those that Apple doesn't show are absent. After an error
// the titles found until then come with it. Apple: Getting app and book information (Legacy).
func (l *Location) Titles(ctx context.Context, q TitleQuery, adamIDs []string) (map[string]Title, error) {
	titles := make(map[string]Title, len(adamIDs))
	for ids := range slices.Chunk(adamIDs, titlesAtOnce) {
		found, err := l.lookUp(ctx, q, ids)
		if err != nil {
			return titles, err
		}
		for _, id := range ids {
			if item := found[id]; item != nil && item.Name != "" {
				titles[id] = item.title(id)
			}
		}
	}
	return titles, nil
}

func (l *Location) lookUp(ctx context.Context, q TitleQuery, ids []string) (map[string]*catalogItem, error) {
	var found map[string]*catalogItem
	language := q.Language
	if language == "" {
		language = "en"
	}
	c := &call{
		endpoint: lookupTitles, doing: "looking up titles", cookie: true,
		query: url.Values{
			"version": {"2"}, "p": {"mdm-lockup"}, "caller": {"MDM"}, "platform": {q.Platform},
			"cc": {strings.ToLower(q.Country)}, "l": {language}, "id": {strings.Join(ids, ",")},
		},
		answer: func() fields {
			found = nil
			return fields{"results": &found}
		},
		whole: func() bool { return found != nil },
	}
	_, err := l.read(ctx, c)
	return found, err
}

// catalogItem is a title as the catalog writes it. Its types drift, so what has an unexpected one is left empty.
type catalogItem struct {
	Name        text
	Author      text
	Description text
	Kind        text
	Genres      []string
	ReleaseDate text
	URL         text
	Artwork     string
}

// UnmarshalJSON never fails: one odd item must not hide the others.
func (c *catalogItem) UnmarshalJSON(b []byte) error {
	var raw struct {
		Name        text            `json:"name"`
		Author      text            `json:"artistName"`
		Description json.RawMessage `json:"description"`
		Kind        text            `json:"kind"`
		Genres      json.RawMessage `json:"genreNames"`
		ReleaseDate text            `json:"releaseDate"`
		URL         text            `json:"url"`
		Artwork     json.RawMessage `json:"artwork"`
	}
	if json.Unmarshal(b, &raw) != nil {
		return nil
	}
	*c = catalogItem{
		Name: raw.Name, Author: raw.Author, Kind: raw.Kind, ReleaseDate: raw.ReleaseDate, URL: raw.URL,
		Description: description(raw.Description), Artwork: artwork(raw.Artwork),
	}
	if json.Unmarshal(raw.Genres, &c.Genres) != nil {
		c.Genres = nil
	}
	return nil
}

func (c *catalogItem) title(id string) Title {
	return Title{
		AdamID: id, Name: string(c.Name), Author: string(c.Author), Description: string(c.Description),
		Kind: string(c.Kind), Genres: c.Genres, ReleaseDate: string(c.ReleaseDate), URL: string(c.URL),
		Artwork: c.Artwork,
	}
}

// description is an object with the standard text in it, or the text.
func description(raw json.RawMessage) text {
	var plain text
	var object struct {
		Standard text `json:"standard"`
	}
	if json.Unmarshal(raw, &object) == nil {
		return object.Standard
	}
	if json.Unmarshal(raw, &plain) != nil {
		return ""
	}
	return plain
}

// artwork is one URL template, or pictures of fixed sizes, of which we take the widest.
func artwork(raw json.RawMessage) string {
	type picture struct {
		URL   text    `json:"url"`
		Width float64 `json:"width"`
	}
	var pictures []picture
	var one picture
	if json.Unmarshal(raw, &one) == nil {
		pictures = []picture{one}
	} else if json.Unmarshal(raw, &pictures) != nil {
		return ""
	}
	var widest picture
	for _, p := range pictures {
		if p.URL != "" && (widest.URL == "" || p.Width > widest.Width) {
			widest = p
		}
	}
	return string(widest.URL)
}
