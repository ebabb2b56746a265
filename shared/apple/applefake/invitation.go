package applefake

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// page is what a person sees who follows an invitation link.
var page = template.Must(template.New("invitation").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Invitation</title></head><body>
<h1>Apps and books from your organization</h1>
{{if .Done}}<p>Thank you: {{.Done}} is linked now.</p>
{{else if .Code}}<p>This is a fake. No account is asked for its password.</p>
<form method="post" action="?inviteCode={{.Code}}"><label>Apple Account <input name="account" type="email" required></label>
<button>Accept</button></form>
{{else}}<p>This invitation is unknown, or was accepted already.</p>{{end}}
</body></html>
`))

// invitation shows an invitation, and on POST accepts it with the account of the form.
func (s *Server) invitation(c *call) *reply {
	code := c.query.Get("inviteCode")
	status, view := http.StatusNotFound, struct{ Code, Done string }{}
	for _, l := range s.Locations() {
		s.mu.Lock()
		known := l.invited(code) != nil
		s.mu.Unlock()
		if !known {
			continue
		}
		status, view.Code = http.StatusOK, code
		form, err := url.ParseQuery(string(c.body))
		if c.request.Method != http.MethodPost || err != nil {
			continue
		}
		account := strings.TrimSpace(form.Get("account"))
		if l.AcceptInvitation(code, account) == nil {
			view.Done = account
		}
	}
	var out strings.Builder
	answer := (&reply{}).as(status)
	if err := page.Execute(&out, view); err != nil {
		return (&reply{}).as(http.StatusInternalServerError)
	}
	answer.body = []byte(out.String())
	answer.header.Set("Content-Type", "text/html; charset=utf-8")
	return answer
}
