package tokens_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bookplate/bookplate/infra/desk"
	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/mark"
	"github.com/bookplate/bookplate/shared/token"
)

func TestAnUploadClaimsTheLocationAndMarksItsFirstSync(t *testing.T) {
	for name, send := range map[string]func(*testing.T, rig) desk.Answer{
		"as Graph's JSON": func(t *testing.T, r rig) desk.Answer {
			return r.upload(t, body(t, "token", r.Token, "vppTokenAccountType", "education", "countryOrRegion", "us",
				"displayName", "Library", "appleId", "it@school.example", "automaticallyUpdateApps", false))
		},
		"as the file": func(t *testing.T, r rig) desk.Answer {
			return r.upload(t, r.Token+"\n",
				"Content-Type", "text/plain")
		},
		"as the file without a type": func(t *testing.T, r rig) desk.Answer { return r.upload(t, r.Token, "Content-Type", "") },
		"as curl sends it": func(t *testing.T, r rig) desk.Answer {
			return r.upload(t, r.Token, "Content-Type", "application/x-www-form-urlencoded")
		},
		"as JSON without a type": func(t *testing.T, r rig) desk.Answer {
			return r.upload(t, body(t, "token", r.Token), "Content-Type", "")
		},
		"with a mark and line breaks": func(t *testing.T, r rig) desk.Answer {
			return r.upload(t, "\ufeff"+r.Token+"\r\n", "Content-Type", "text/plain")
		},
		"as an octet stream": func(t *testing.T, r rig) desk.Answer {
			return r.upload(t, r.Token, "Content-Type", "application/octet-stream")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a := send(t, r)
			record := r.Record(t)
			if a.Status != 201 || a.Body["id"] != record.ID || a.Body["token"] != nil || a.Body["state"] != "valid" ||
				!strings.HasSuffix(a.Header.Get("Location"), path+"/"+record.ID) {
				t.Fatalf("%d %s", a.Status, a.Raw)
			}
			if owner := r.Place.MDMInfo(); owner == nil || owner.ID != record.MDMID || owner.Name != "Bookplate" ||
				!strings.Contains(owner.Metadata, "books.school.example") {
				t.Errorf("the location is managed by %v", owner)
			}
			secret, err := r.Vault.Get(t.Context(), record.ID, record.SecretVersion)
			if err != nil || secret.Reveal() != r.Token {
				t.Errorf("the vault doesn't have the file's text: %v", err)
			}
			marks, err := mark.Read(t.Context(), r.Store.ReadStore, record.Location)
			desk.Must(t, err)
			if len(marks) != 1 || marks[0].Kind != mark.Sync || marks[0].Subject != mark.SyncUpload || len(r.Queue.Woken) != 1 {
				t.Errorf("marks %v, woken %v", marks, r.Queue.Woken)
			}
		})
	}
}

func TestAnUploadIsRefusedWithAReasonAndLeavesNothing(t *testing.T) {
	expired := madeUp(`{"token":"bWFkZSB1cCwgZXhwaXJlZA==","expDate":"2029-02-03T04:05:06+0000","orgName":"MADE-UP"}`)
	unknown := madeUp(`{"token":"bWFkZSB1cCwgdW5rbm93bg==","expDate":"2031-02-03T04:05:06+0000","orgName":"MADE-UP"}`)
	for name, test := range map[string]struct {
		prepare func(*testing.T, rig)
		body    func(*testing.T, rig) string
		media   string // empty: JSON
		status  int
		code    string
		words   []string
	}{
		"not base64": {
			body: func(*testing.T, rig) string { return "this is no token" }, media: "text/plain",
			status: 400, code: "TokenNotBase64", words: []string{".vpptoken"},
		},
		"base64 of something else": {
			body:  func(*testing.T, rig) string { return madeUp("A letter to somebody, and no token at all.") },
			media: "text/plain", status: 400, code: "TokenUnknownContent",
		},
		"a field is missing": {
			body:  func(*testing.T, rig) string { return madeUp(`{"token":"bWFkZSB1cA==","orgName":"MADE-UP"}`) },
			media: "text/plain", status: 400, code: "TokenIncomplete", words: []string{"expDate"},
		},
		"expired by its own date": {
			body: func(*testing.T, rig) string { return expired }, media: "text/plain",
			status: 400, code: "TokenExpired", words: []string{"3 February 2029", "Download a new one"},
		},
		"the inner token": {
			body: func(_ *testing.T, r rig) string { return desk.Inner(r.Token) }, media: "text/plain",
			status: 400, code: "TokenInner", words: []string{"whole"},
		},
		"the decoded file": {
			body: func(*testing.T, rig) string {
				return `{"token":"bWFkZSB1cA==","expDate":"2031-02-03T04:05:06+0000","orgName":"M"}`
			},
			media: "text/plain", status: 400, code: "TokenDecoded",
		},
		"nothing": {
			body: func(*testing.T, rig) string { return " \n" }, media: "text/plain", status: 400, code: "TokenEmpty",
		},
		"JSON without a token": {
			body: func(t *testing.T, _ rig) string { return body(t, "displayName", "Library") }, status: 400, code: "TokenMissing",
		},
		"JSON that isn't": {
			body: func(*testing.T, rig) string { return `{"token":` }, status: 400, code: "BadRequest",
		},
		"education given for a business location": {
			prepare: func(t *testing.T, r rig) { r.business(t) },
			body:    func(t *testing.T, r rig) string { return body(t, "token", r.Token, "vppTokenAccountType", "education") },
			status:  400, code: "AccountTypeMismatch", words: []string{"education", "business"},
		},
		"an account type that there isn't": {
			body:   func(t *testing.T, r rig) string { return body(t, "token", r.Token, "vppTokenAccountType", "private") },
			status: 400, code: "BadRequest", words: []string{"business or education"},
		},
		"the wrong country": {
			body:   func(t *testing.T, r rig) string { return body(t, "token", r.Token, "countryOrRegion", "fr") },
			status: 400, code: "CountryMismatch", words: []string{`"fr"`, `"US"`},
		},
		"another product's location": {
			prepare: func(t *testing.T, r rig) {
				desk.Must(t, r.Place.TakeOver(&applefake.MDMInfo{ID: "8d1f-other", Name: "Other MDM", Metadata: "host=mdm.example"}))
			},
			body:   func(t *testing.T, r rig) string { return body(t, "token", r.Token) },
			status: 409, code: "ManagedByAnother", words: []string{"Other MDM", "8d1f-other", "host=mdm.example", "release"},
		},
		"revoked": {
			prepare: func(t *testing.T, r rig) { desk.Must(t, r.Place.RevokeTokens()) },
			body:    func(t *testing.T, r rig) string { return body(t, "token", r.Token) },
			status:  400, code: "TokenRevoked", words: []string{"9625", "revoked", "Download a new"},
		},
		"unknown to Apple": {
			body:   func(t *testing.T, _ rig) string { return body(t, "token", unknown) },
			status: 400, code: "TokenNotRecognized", words: []string{"9622"},
		},
		"too large": {
			body:   func(t *testing.T, _ rig) string { return body(t, "token", strings.Repeat("A", 64<<10)) },
			status: 413, code: "RequestEntityTooLarge",
		},
		"a file that is too large": {
			body:  func(*testing.T, rig) string { return strings.Repeat("A", 64<<10+1) },
			media: "text/plain", status: 413, code: "RequestEntityTooLarge",
		},
		"a form": {
			body:  func(*testing.T, rig) string { return "--x\r\n" },
			media: "multipart/form-data; boundary=x", status: 415, code: "UnsupportedMediaType", words: []string{"text/plain"},
		},
		"a name without end": {
			body: func(t *testing.T, r rig) string {
				return body(t, "token", r.Token, "displayName", strings.Repeat("ü", 257))
			},
			status: 400, code: "BadRequest", words: []string{"256"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			before := r.Place.MDMInfo()
			if test.prepare != nil {
				test.prepare(t, r)
				before = r.Place.MDMInfo()
			}
			headers := []string{}
			if test.media != "" {
				headers = append(headers, "Content-Type", test.media)
			}
			r.upload(t, test.body(t, r), headers...).Refused(t, test.status, test.code, test.words...)
			r.empty(t)
			if after := r.Place.MDMInfo(); (before == nil) != (after == nil) || before != nil && *before != *after {
				t.Errorf("the refusal changed the manager from %v to %v", before, after)
			}
		})
	}
}

// business makes the rig's place one of a business, and its token that place's.
func (r rig) business(t *testing.T) {
	t.Helper()
	place, err := r.Fake.AddLocation(applefake.LocationSpec{Name: "Shop", Platform: applefake.Business})
	desk.Must(t, err)
	r.Place, r.Token = place, r.Issue(t, place)
}

func TestATokenThatAppleCallsExpiredIsToldFromARevokedOne(t *testing.T) {
	r := newRig(t)
	soon, err := r.Place.IssueToken(r.Clock.Now().Add(time.Minute))
	desk.Must(t, err)
	r.Secret(soon)
	// Apple's clock is ahead of ours: the token is good by its date and bad at Apple.
	r.Fake.Script(applefake.Rules(applefake.Rule{
		Endpoint: applefake.EndpointClientConfig, First: 1, Last: 9, Fault: applefake.Fault{Delay: 2 * time.Minute},
	}))
	r.upload(t, body(t, "token", soon)).Refused(t, 400, "TokenExpired", "9621", "expired")
	r.empty(t)
}

func TestWhileAppleCantBeAskedNothingIsStored(t *testing.T) {
	for name, answer := range map[string]applefake.Answer{
		"unreachable": applefake.AnswerConnectionLost, "too slow": applefake.AnswerTimeout,
		"busy": applefake.AnswerUnavailable, "answering HTML": applefake.AnswerHTML, "breaking off": applefake.AnswerTruncated,
		"throttling": applefake.AnswerBusy,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.Fake.Script(func(*applefake.Incoming) applefake.Fault { return applefake.Fault{Answer: answer} })
			a := r.upload(t, body(t, "token", r.Token))
			a.Refused(t, 503, "AppleUnavailable", "Nothing was stored", "Repeat")
			if a.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			r.empty(t)
			r.Fake.Script(nil)
			r.uploaded(t) // the same request later
		})
	}
}

func TestAClaimWhoseAnswerIsLostIsOursAtTheNextAttempt(t *testing.T) {
	for name, acted := range map[string]bool{"nothing happened": false, "but it happened": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.Fake.Script(applefake.Rules(applefake.Rule{
				Endpoint: applefake.EndpointConfigure, First: 1, Fault: applefake.Fault{
					Answer: applefake.AnswerConnectionLost,
					Acted:  acted,
				},
			}))
			r.upload(t, body(t, "token", r.Token)).Refused(t, 503, "AppleUnavailable")
			r.empty(t)
			r.uploaded(t)
		})
	}
}

func TestOfTwoWhoClaimAtOnceTheOneThatLosesStoresNothing(t *testing.T) {
	for name, test := range map[string]struct {
		winner *applefake.MDMInfo
		code   string
	}{
		"another product wins": {&applefake.MDMInfo{ID: "other", Name: "Other MDM", Metadata: "-"}, "ManagedByAnother"},
		"the entry is cleared": {nil, "NotClaimed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.Fake.Script(func(in *applefake.Incoming) applefake.Fault {
				if in.Endpoint == applefake.EndpointClientConfig && in.N == 2 { // after our claim
					if err := r.Place.TakeOver(test.winner); err != nil {
						t.Error(err)
					}
				}
				return applefake.Fault{}
			})
			r.upload(t, body(t, "token", r.Token)).Refused(t, 409, test.code, "Nothing was stored")
			r.empty(t)
		})
	}
}

func TestASecondTokenOfALocationIsRefusedAndRenewalOffered(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	r.upload(t, body(t, "token", r.Issue(t, r.Place))).Refused(t, 409, "LocationKnown", id, "PATCH")
	if r.Record(t).State != token.Valid {
		t.Error("the record has changed")
	}
}

func TestALocationComesBackWithItsOldIDs(t *testing.T) {
	r := newRig(t)
	id := r.uploaded(t)
	owner := r.Place.MDMInfo().ID
	r.Want(t, 204, r, "administrator", "DELETE", path+"/"+id, "")
	if again := r.uploaded(t); again != id || r.Place.MDMInfo().ID != owner || r.Place.MDMInfo().Metadata == "released" {
		t.Errorf("came back as %s, managed by %v", again, r.Place.MDMInfo())
	}
}
