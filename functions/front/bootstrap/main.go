// Command bootstrap runs functions/front on AWS Lambda.
package main

import (
	"net/http"

	"github.com/bookplate/bookplate/functions/front"
	"github.com/bookplate/bookplate/infra"
	"github.com/bookplate/bookplate/infra/lambda"
)

func main() {
	lambda.ServeHTTP(func(p lambda.Process) (http.Handler, error) {
		return front.New(front.Config{
			Config: p.Door(), OpenAPI: infra.OpenAPI(), Paths: infra.Paths(), API: p.OwnAPI(),
		}), nil
	})
}
