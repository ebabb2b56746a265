package books

import "testing"

func TestNoCellIsAFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "Ana": "Ana", "a-b@school.example": "a-b@school.example", "5 = 5": "5 = 5",
		"=1+1": "'=1+1", "+49 1": "'+49 1", "-1": "'-1", "@sum": "'@sum", "\t=1": "'\t'=1", "\r\n": "'\r\n",
		"＝1+1": "'＝1+1", ` "=1`: ` "'=1`,
		`Ana;=HYPERLINK("x")`: `Ana;'=HYPERLINK("x")`, `Ana; "=1`: `Ana; "'=1`, "Ana\n=1": "Ana\n'=1", "Ana; Ben": "Ana; Ben",
	} {
		if got := cell(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
