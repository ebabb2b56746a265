package apple

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestLaw8NothingShowsASecret lets a transport and an Apple that repeat every secret they know do their worst.
func TestLaw8NothingShowsASecret(t *testing.T) {
	const notification = "made-up-notification-secret"
	echo := `"errorMessage":"bad ` + madeUp + `","notificationAuthToken":"` + notification + `"`
	leaky := errors.New("write Authorization: Bearer " + madeUp + " Cookie: itvt=" + madeUp)
	for name, answer := range map[string]step{
		"transport":         fails(leaky),
		"refusal":           status(400, `{"errorNumber":9602,`+echo+`}`),
		"passing refusal":   status(503, `{"errorNumber":9729,`+echo+`}`, "Retry-After", "1"),
		"not JSON":          ok(notification + madeUp),
		"odd JSON":          ok(`{"locationName":["` + madeUp + `"],` + echo + `}`),
		"truncated":         ok(`{` + echo),
		"good":              ok(`{` + echo + `,` + ours + `}`),
		"no owner":          ok(`{` + echo + `,` + nobodys + `}`),
		"another owner":     ok(`{` + echo + `,` + strangers + `}`),
		"another location":  ok(`{` + echo + `,"uId":"2"}`),
		"redirect":          status(302, echo, "Location", "https://evil.example.org/"+madeUp),
		"connection broken": func(*http.Request) (*http.Response, error) { return reply(200, &leakyReader{leaky})(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var shown bytes.Buffer
			w := newWire(t)
			for _, what := range []string{config, assets, associate, lookup, "POST /mdm/v2/client/config", "GET /mdm/v2/status"} {
				w.on(what, answer)
			}
			l := w.location(logTo(&shown))
			ctx := context.Background()
			cfg, err1 := l.ClientConfig(ctx)
			err2 := readAssets(l)
			_, err3 := spend(l, noon.Add(time.Hour))
			_, err4 := l.Titles(ctx, TitleQuery{}, []string{"1"})
			_, err5 := l.Claim(ctx, MDMInfo{ID: ourID})
			_, err6 := l.Event(ctx, "event-1")
			for _, err := range []error{err1, err2, err3, err4, err5, err6} {
				fmt.Fprintf(&shown, "%v %+v %#v\n", err, err, err)
				slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "error", err)
				if refusal, is := errors.AsType[*Error](err); is {
					fmt.Fprintf(&shown, "%+v\n", *refusal)
				}
			}
			fmt.Fprintf(&shown, "%+v %#v\n%v %+v %#v\n%+v\n", cfg, cfg, l, l, l, l.service)
			slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "location", l)
			for _, secret := range []string{madeUp, notification} {
				if i := strings.Index(shown.String(), secret); i >= 0 {
					t.Errorf("shown: …%s…", shown.String()[max(i-200, 0):i])
				}
			}
		})
	}
}

type leakyReader struct{ err error }

func (l *leakyReader) Read([]byte) (int, error) { return 0, l.err }

func TestApplesMessageIsShortened(t *testing.T) {
	w := newWire(t)
	w.on(assets, status(400, `{"errorNumber":9602,"errorMessage":"`+strings.Repeat("ä", 10_000)+`"}`))
	e, is := errors.AsType[*Error](readAssets(w.location()))
	if !is || len(e.Message) > 510 || !strings.HasPrefix(e.Message, "ää") || strings.Contains(e.Message, "\ufffd") {
		t.Error(e)
	}
}

func TestAnAnswerLongerThan32MBIsNotRead(t *testing.T) {
	body := strings.NewReader("{" + strings.Repeat(`"member":"something unknown",`, 2<<20))
	w := newWire(t)
	w.on(assets, reply(200, body))
	l := w.location()
	_, f := l.attempt(context.Background(), &call{endpoint: getAssets, answer: func() fields { return nil }})
	if f == nil || !errors.Is(f.err, errTooLong) {
		t.Fatal(f)
	}
	if read := body.Size() - int64(body.Len()); read != 32<<20 {
		t.Errorf("%d bytes were read", read)
	}
}
