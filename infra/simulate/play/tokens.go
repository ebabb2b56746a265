package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
)

// other is another product that takes locations over.
var other = applefake.MDMInfo{ID: "another-product", Name: "Another Product", Metadata: "made up"}

// issue is a content manager downloading a token; older ones end.
func (p *Play) issue(s *site) string {
	good := []time.Duration{3 * time.Hour, 300 * 24 * time.Hour, 300 * 24 * time.Hour, 300 * 24 * time.Hour}[p.script.IntN(4)]
	if p.weather.over {
		good = 300 * 24 * time.Hour
	}
	text, err := s.IssueToken(p.clock.Now().Add(good))
	must(err)
	p.opens[text] = s.UID()
	return text
}

// upload brings the token of a location; if that is the order, also of one that another product manages.
func (p *Play) upload(s *site, overAnybody bool) {
	text := p.issue(s)
	body, err := json.Marshal(map[string]any{"token": text, "claimTokenManagementFromExternalMdm": overAnybody})
	must(err)
	what := fmt.Sprintf("the token of %s is uploaded (over anybody: %v)", s.UID(), overAnybody)
	p.takeBack(s, what, overAnybody, func(process *process) (int, string) {
		return send(process.tokens, administrator, http.MethodPost, "/deviceAppManagement/vppTokens", string(body))
	}, func() { p.uploaded(s) })
}

// uploaded notes under which id a token is known, and as whom we manage its location.
func (p *Play) uploaded(s *site) {
	var list struct {
		Value []struct {
			ID  string `json:"id"`
			UID string `json:"x_locationId"`
		}
	}
	_ = json.Unmarshal(p.get("/deviceAppManagement/vppTokens"), &list) // no answer: no tokens
	for _, t := range list.Value {
		if t.UID == s.UID() {
			s.tokenID = t.ID
		}
	}
	if info := s.MDMInfo(); s.mdm == nil && info != nil && info.ID != other.ID {
		s.mdm = info
		p.judge.Claimed(s.UID(), info.ID)
	}
}

// renew replaces a token. The location must be the same; an owner that is foreign refuses it.
func (p *Play) renew() {
	needed := p.script.IntN(3) > 0 // mostly people renew what needs it
	s, ok := pick(p, p.sites, func(s *site) bool { return s.tokenID != "" && s.broken == needed })
	if ok {
		p.renewOf(s)
	}
}

func (p *Play) renewOf(s *site) {
	body, err := json.Marshal(map[string]string{"token": p.issue(s)})
	must(err)
	s.broken = false
	p.want("the token of "+s.UID()+" is renewed", func(_ context.Context, process *process) error {
		p.judge.Ordered(s.UID())
		code, answer := send(process.tokens, administrator, http.MethodPatch, "/deviceAppManagement/vppTokens/"+s.tokenID, string(body))
		if code >= 500 || code == http.StatusTooManyRequests {
			return fmt.Errorf("status %d: %s", code, answer)
		}
		if code != http.StatusOK {
			p.tell(true, "renewal refused: %s", answer)
		}
		return nil
	}, func() {})
}

// resume orders a sync at a location, which lets one go on that has stopped, if it may.
func (p *Play) resume() { p.order("") }

func (p *Play) orderSync() { p.order([]string{"", "?full=true"}[p.script.IntN(2)]) }

func (p *Play) order(query string) {
	if s, ok := pick(p, p.sites, func(s *site) bool { return s.tokenID != "" }); ok {
		p.orderAt(s, query)
	}
}

func (p *Play) orderAt(s *site, query string) {
	p.want("a sync of "+s.UID()+" is ordered "+query, func(_ context.Context, process *process) error {
		if info := s.MDMInfo(); info != nil && s.mdm != nil && info.ID == s.mdm.ID {
			p.judge.Ordered(s.UID())
		}
		code, answer := send(process.tokens, administrator, http.MethodPost,
			"/deviceAppManagement/vppTokens/"+s.tokenID+"/syncLicenses"+query, "")
		if code >= 500 || code == http.StatusTooManyRequests {
			return fmt.Errorf("status %d: %s", code, answer)
		}
		return nil
	}, func() {})
}

// takeOver hands a location to another product, or gives it back.
func (p *Play) takeOver() {
	s, ok := pick(p, p.sites, func(s *site) bool { return s.mdm != nil && s.foreign })
	if !ok || p.script.IntN(3) == 0 {
		s, ok = pick(p, p.sites, func(s *site) bool { return s.mdm != nil })
	}
	if !ok {
		return
	}
	if !s.foreign {
		must(s.TakeOver(&other))
		s.foreign = true
		p.tell(true, "another product takes %s over", s.UID())
		return
	}
	p.giveBack(s)
}

func (p *Play) giveBack(s *site) {
	if !s.foreign {
		return
	}
	back := s.mdm
	if p.script.IntN(2) == 0 && !p.weather.over {
		back = nil
	}
	must(s.TakeOver(back))
	s.foreign = false
	p.judge.Ordered(s.UID())
	p.tell(true, "the other product lets %s go (cleared: %v)", s.UID(), back == nil)
}

// breakToken: a token is revoked, or its account's password changes.
func (p *Play) breakToken() {
	s, ok := pick(p, p.sites, func(s *site) bool { return s.tokenID != "" })
	if !ok {
		return
	}
	s.broken = true
	if p.script.IntN(2) == 0 {
		must(s.RevokeTokens())
	} else {
		must(s.ChangePassword())
	}
	p.tell(true, "the token of %s is revoked", s.UID())
}

// retire is another product's request that retires a reader.
func (p *Play) retire(s *site, client string) {
	body := strings.NewReader(fmt.Sprintf(`{"users":[{"clientUserId":%q}]}`, client))
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1/mdm/v2/users/retire", body)
	must(err)
	r.Header.Set("Authorization", "Bearer "+s.Token())
	r.Header.Set("Content-Type", "application/json")
	p.fault = applefake.Fault{}
	answer, err := p.apple.Transport().RoundTrip(r)
	must(err)
	_, err = io.Copy(io.Discard, answer.Body)
	must(errors.Join(err, answer.Body.Close()))
	p.judge.Retired(s.UID(), client)
	p.tell(true, "somebody else retires %s at %s: %d", client, s.UID(), answer.StatusCode)
}
