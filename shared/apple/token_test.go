package apple

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/shared/problem"
)

// inner is the base64 of "made-up-token-0001".
const inner = "bWFkZS11cC10b2tlbi0wMDAx"

func outer(json string) string { return base64.StdEncoding.EncodeToString([]byte(json)) }

func tokenJSON(expires string) string {
	return fmt.Sprintf(`{"token":%q,"expDate":%q,"orgName":"MADEUPORG1"}`, inner, expires)
}

func TestDecodeToken(t *testing.T) {
	for name, json := range map[string]string{
		"compact": tokenJSON("2031-02-03T04:05:06+0000"),
		"pretty": "{\n  \"token\" : \"" + inner + "\",\n  \"expDate\":\"2031-02-03T04:05:06Z\"," +
			"\"orgName\":\"MADEUPORG1\"\n}\n",
		"a local offset":  tokenJSON("2031-02-02T21:05:06-0700"),
		"RFC 3339":        tokenJSON("2031-02-03T05:05:06+01:00"),
		"UTC":             tokenJSON("2031-02-03T04:05:06Z"),
		"with new fields": strings.Replace(tokenJSON("2031-02-03T04:05:06Z"), "{", `{"new":[1],`, 1),
	} {
		for around, file := range map[string]string{
			"as it is": outer(json), "with line ends": "\r\n" + outer(json) + "\n\n", "with a byte order mark": "\ufeff" + outer(json),
		} {
			got, err := DecodeToken([]byte(file))
			if err != nil {
				t.Errorf("%s, %s: %v", name, around, err)
				continue
			}
			if got.Secret.Reveal() != outer(json) {
				t.Errorf("%s, %s: the bearer must be the file's text, verbatim", name, around)
			}
			if got.Org != "MADEUPORG1" || !got.Expires.Equal(time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)) {
				t.Errorf("%s, %s: %v", name, around, got)
			}
		}
	}
}

func TestDecodeTokenSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	good := tokenJSON("2031-02-03T04:05:06+0000")
	for _, c := range []struct{ name, file, code, says string }{
		{"nothing", "", "TokenEmpty", "Download it again"},
		{"white space", " \r\n\t ", "TokenEmpty", "Download it again"},
		{"a novel", strings.Repeat("word", 1<<15), "TokenTooLarge", "as Apple gave it"},
		{"prose", "Dear administrator, please find attached", "TokenNotBase64", "as Apple gave it"},
		{"cut off", outer(good)[:50], "TokenNotBase64", "cut off"},
		{"cut off where base64 isn't", outer(good)[:48], "TokenUnknownContent", "no content token"},
		{"URL-safe alphabet", strings.ReplaceAll(outer(good+"???>>>"), "/", "_") + "-", "TokenNotBase64", "one line"},
		{"wrapped lines", outer(good)[:40] + "\r\n" + outer(good)[40:], "TokenNotBase64", "one line"},
		{"quoted", `"` + outer(good) + `"`, "TokenNotBase64", "one line"},
		{"decoded", good, "TokenDecoded", "as it was downloaded"},
		{"the token inside", inner, "TokenInner", "whole file"},
		{"the binary token inside", outer("\x00\x9c\xff\x17-made-up-\x80\x81"), "TokenInner", "whole file"},
		{"base64 of prose", outer("Dear administrator, please find"), "TokenUnknownContent", "no content token"},
		{"base64 of a picture", outer("\x89PNG" + strings.Repeat("\x00", 300)), "TokenUnknownContent", "no content token"},
		{"base64 of other JSON", outer(`{"consumer_key":"CK_madeup"}`), "TokenUnknownContent", "no content token"},
		{"base64 of a JSON list", outer(`[{"token":"x"}]`), "TokenUnknownContent", "no content token"},
		{"no token", outer(`{"expDate":"2031-02-03T04:05:06Z","orgName":"o"}`), "TokenIncomplete", "usable token."},
		{"empty token", outer(`{"token":"","expDate":"2031-02-03T04:05:06Z","orgName":"o"}`), "TokenIncomplete", "usable token."},
		{"no date", outer(`{"token":"x","orgName":"o"}`), "TokenIncomplete", "usable expDate."},
		{"an odd date", outer(`{"token":"x","orgName":"o","expDate":"next year"}`), "TokenIncomplete", "usable expDate."},
		{"no name", outer(`{"token":"x","expDate":"2031-02-03T04:05:06Z"}`), "TokenIncomplete", "usable orgName."},
		{"two missing", outer(`{"token":"x"}`), "TokenIncomplete", "usable expDate, orgName."},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeToken([]byte(c.file))
			p, is := problem.As(err)
			if !is || p.Kind != problem.Invalid || p.Code != c.code || !strings.Contains(p.Message, c.says) {
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestExpiredTokenIsTold(t *testing.T) {
	token, err := DecodeToken([]byte(outer(tokenJSON("2031-02-03T04:05:06+0000"))))
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := token.CheckExpiry(end.Add(-1)); err != nil {
		t.Error(err)
	}
	p, is := problem.As(token.CheckExpiry(end))
	if !is || p.Kind != problem.Invalid || p.Code != "TokenExpired" || !strings.Contains(p.Message, "3 February 2031") {
		t.Error(p)
	}
}

func FuzzDecodeToken(f *testing.F) {
	good := tokenJSON("2031-02-03T04:05:06+0000")
	for _, seed := range []string{
		"", good, outer(good), outer(good)[:48], inner, "\ufeff" + outer(good) + "\n", outer(`{"token":null}`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := DecodeToken(file)
		if err == nil {
			secret := []byte(got.Secret.Reveal())
			if !bytes.Contains(file, secret) || bytes.ContainsAny(secret, " \r\n\t\x00") || got.Expires.IsZero() {
				t.Errorf("%q", file)
			}
			return
		}
		p, is := problem.As(err)
		if !is || p.Kind != problem.Invalid || p.Code == "" || !got.Secret.IsZero() {
			t.Fatalf("%q: %v", file, err)
		}
		// Whatever the file was, it may have held a secret.
		if text := string(bytes.TrimSpace(file)); len(text) > 20 && strings.Contains(p.Error(), text) {
			t.Errorf("the error shows the file: %v", p)
		}
	})
}
