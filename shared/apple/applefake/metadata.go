package applefake

import (
	"hash/fnv"
	"net/http"
	"strings"
)

// title is what the catalog says of an Adam ID; titles that no location stocks aren't in it. The lock is held.
func (s *Server) title(adamID string) (Title, bool) {
	if s.hidden[adamID] {
		return Title{}, false
	}
	if t, ok := s.titles[adamID]; ok {
		return t, true
	}
	for _, l := range s.locations {
		if n, ok := l.gen.titleOf(adamID); ok {
			return madeUpTitle(n, l.gen.hash(uint64(n)<<4)), true
		}
		if l.assetOf[AssetKey{adamID, STDQ}] != nil || l.assetOf[AssetKey{adamID, PLUS}] != nil {
			h := fnv.New64a()
			_, _ = h.Write([]byte(adamID))
			return madeUpTitle(int(h.Sum64()%1640), h.Sum64()), true
		}
	}
	return Title{}, false
}

type artwork struct {
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	URL     string `json:"url"`
	BgColor string `json:"bgColor"`
}

func (c *call) artwork(adamID string) artwork {
	back, _ := coverColors(adamID)
	return artwork{1400, 2100, c.base + coverPath + adamID + "/{w}x{h}bb.{f}", rgb(back)}
}

// lookup is the legacy metadata lookup. Unknown ids are just missing.
func (s *Server) lookup(c *call) *reply {
	type result struct {
		ID          string            `json:"id"`
		Name        string            `json:"name"`
		NameRaw     string            `json:"nameRaw"`
		ArtistName  string            `json:"artistName"`
		URL         string            `json:"url"`
		Kind        string            `json:"kind"`
		GenreNames  []string          `json:"genreNames"`
		Artwork     artwork           `json:"artwork"`
		Description map[string]string `json:"description"`
		ReleaseDate string            `json:"releaseDate,omitempty"`
	}
	results := map[string]result{}
	country := strings.ToLower(c.query.Get("cc"))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range strings.Split(c.query.Get("id"), ",") {
		if t, ok := s.title(id); ok {
			results[id] = result{
				ID: id, Name: t.Name, NameRaw: t.Name, ArtistName: t.Author, Kind: "ebook", GenreNames: t.Genres,
				URL: storeURL(country, id), Artwork: c.artwork(id), ReleaseDate: t.ReleaseDate,
				Description: map[string]string{"standard": t.Description},
			}
		}
	}
	return jsonReply(http.StatusOK, map[string]any{
		"results": results, "version": 2, "isAuthenticated": false,
		"meta": map[string]any{
			"storefront": map[string]string{"id": "143441", "cc": strings.ToUpper(country)},
			"language":   map[string]string{"tag": c.query.Get("l")},
		},
	})
}

func storeURL(country, id string) string {
	return "https://books.apple.com/" + country + "/book/id" + id
}

// catalogBooks is the newer metadata service: several books by ids (at most 150), or one by its path.
func (s *Server) catalogBooks(c *call) *reply {
	parts := strings.Split(strings.TrimPrefix(c.request.URL.Path, catalogPath), "/")
	refused := func(status int) *reply { return jsonReply(status, map[string]any{"errors": []string{}}) }
	// Whether a developer token is genuine isn't checked, only that it looks like one.
	bearer := strings.TrimPrefix(c.request.Header.Get("Authorization"), "Bearer ")
	if strings.Count(bearer, ".") != 2 {
		return refused(http.StatusUnauthorized)
	}
	if len(parts) < 2 || parts[1] != "books" && parts[1] != "stoken-authenticated-books" || len(parts) > 3 {
		return refused(http.StatusNotFound)
	}
	ids := strings.Split(c.query.Get("ids"), ",")
	if len(parts) == 3 {
		ids = parts[2:]
	}
	if c.query.Get("platform") == "" || len(ids) > 150 {
		return refused(http.StatusBadRequest)
	}
	data := []any{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		t, ok := s.title(id)
		if !ok {
			continue
		}
		data = append(data, map[string]any{
			"id": id, "type": "books", "href": catalogPath + parts[0] + "/books/" + id,
			"attributes": map[string]any{
				"name": t.Name, "artistName": t.Author, "artwork": c.artwork(id), "genreNames": t.Genres,
				"offers": []any{map[string]any{"type": "buy"}}, "url": storeURL(parts[0], id),
				"userRating": map[string]any{"value": 0, "ratingCount": 0},
			},
		})
	}
	if len(data) == 0 && len(parts) == 3 {
		return refused(http.StatusNotFound)
	}
	return jsonReply(http.StatusOK, map[string]any{"data": data})
}
