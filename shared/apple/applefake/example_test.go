package applefake_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bookplate/bookplate/shared/apple/applefake"
	"github.com/bookplate/bookplate/shared/world"
)

// A location with one book, a user, and a license given while the answer gets lost.
func Example() {
	clock := world.NewVirtual(1, time.Date(2030, 9, 1, 8, 0, 0, 0, time.UTC))
	server, err := applefake.New(applefake.Options{Clock: clock, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	location, err := server.AddLocation(applefake.LocationSpec{
		Name: "Library", UID: "1000000000000001", Org: "EXAMPLE", Domains: []string{"school.example"},
		Stock: []applefake.Stock{{AdamID: "900000001", Total: 30, Title: applefake.Title{Name: "A Book"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := location.IssueToken(clock.Now().AddDate(1, 0, 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := location.AddUser("reader-1", "", "ann@school.example"); err != nil {
		fmt.Println(err)
		return
	}
	server.Script(applefake.Rules(applefake.Rule{
		Endpoint: applefake.EndpointAssociate, First: 1,
		Fault: applefake.Fault{Answer: applefake.AnswerConnectionLost, Acted: true},
	}))

	client := &http.Client{Transport: server.Transport()}
	ask := func(method, path, body string) (string, error) {
		r, err := http.NewRequestWithContext(context.Background(), method, "https://vpp.example/mdm/v2"+path,
			strings.NewReader(body))
		if err != nil {
			return "", err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(r)
		if err != nil {
			return "", err
		}
		raw, err := io.ReadAll(answer.Body)
		return string(raw), err
	}
	_, err = ask(http.MethodPost, "/assets/associate",
		`{"assets":[{"adamId":"900000001","pricingParam":"STDQ"}],"clientUserIds":["reader-1"]}`)
	fmt.Println("answer lost:", err != nil)

	clock.Advance(2 * time.Second) // the event ends
	for _, license := range location.Ledger() {
		fmt.Println(license.ClientUserID, "has", license.AdamID)
	}
	fmt.Println("double spends:", len(server.DoubleSpends()), "invariants:", server.Invariants())
	// Output:
	// answer lost: true
	// reader-1 has 900000001
	// double spends: 0 invariants: <nil>
}
