package apple

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

const lookup = "GET /WebObjects/MZStorePlatform.woa/wa/lookup"

func TestTitles(t *testing.T) {
	w := newWire(t)
	w.on(lookup, ok(`{"results":{
		"1":{"id":"1","name":"Sample","artistName":"A. Author","url":"https://books.apple.com/1","genreNames":["Fiction"],
			"artwork":{"width":1400,"url":"https://pics/{w}x{h}bb.{f}"},"description":{"standard":"Text"},
			"releaseDate":"2019-05-01","kind":"ebook"},
		"2":{"id":2,"name":1984,"artwork":[{"width":60,"url":"s"},{"width":512,"url":"l"},{"width":100,"url":"m"}],
			"description":"Plain","genreNames":"Fiction","releaseDate":null},
		"3":{"id":"3"},"4":null,"5":"odd","9":{"name":"Not asked for"}},"version":2,"isAuthenticated":false}`))
	got, err := w.location().Titles(context.Background(), TitleQuery{PlatformEducation, "CH", "de"},
		[]string{"1", "2", "3", "4", "5", "6"})
	want := map[string]Title{
		"1": {
			AdamID: "1", Name: "Sample", Author: "A. Author", Description: "Text", Kind: "ebook", Genres: []string{"Fiction"},
			ReleaseDate: "2019-05-01", URL: "https://books.apple.com/1", Artwork: "https://pics/{w}x{h}bb.{f}",
		},
		"2": {AdamID: "2", Name: "1984", Artwork: "l", Description: "Plain"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	s := w.started(lookup)[0]
	q, _ := url.ParseQuery(s.query)
	for name, value := range map[string]string{
		"version": "2", "id": "1,2,3,4,5,6", "p": "mdm-lockup", "caller": "MDM", "platform": "volumestore", "cc": "ch", "l": "de",
	} {
		if q.Get(name) != value {
			t.Errorf("%s=%s", name, q.Get(name))
		}
	}
	if !strings.Contains(s.query, "id=1,2,3") || s.header.Get("Cookie") != "itvt="+madeUp || s.header.Get("Authorization") != "" {
		t.Errorf("%s %v", s.query, s.header)
	}
}

func TestTitlesAreLookedUp150AtATime(t *testing.T) {
	var ids []string
	for i := range 301 {
		ids = append(ids, fmt.Sprint(i))
	}
	w := newWire(t)
	w.on(lookup, ok(`{"results":{"0":{"name":"First"},"300":{"name":"Last"}}}`))
	got, err := w.location().Titles(context.Background(), TitleQuery{}, ids)
	if err != nil || len(w.started(lookup)) != 3 || len(got) != 2 || got["300"].Name != "Last" {
		t.Errorf("%v %v", got, err)
	}
	if got, err := w.location().Titles(context.Background(), TitleQuery{}, nil); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestTitlesFoundBeforeAnErrorComeWithIt(t *testing.T) {
	ids := make([]string, 200)
	w := newWire(t)
	ids[0] = "1"
	w.on(lookup, ok(`{"results":{"1":{"name":"One"}}}`), ok(`{"resultCount":0}`))
	got, err := w.location().Titles(context.Background(), TitleQuery{}, ids)
	if !errors.Is(err, ErrUnavailable) || got["1"].Name != "One" {
		t.Error(got, err)
	}
}

func TestTheCatalogOfAFakeIsNeverApples(t *testing.T) {
	w := newWire(t)
	l := w.location(func(o *Options) { o.BaseURL = "http://127.0.0.1:3001/mdm/v2" })
	_, err := l.Titles(context.Background(), TitleQuery{}, []string{"1"})
	if !errors.Is(err, ErrUnavailable) || len(w.started(lookup)) != 0 {
		t.Error(err)
	}
}
