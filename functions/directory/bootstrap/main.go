// Command bootstrap runs functions/directory on AWS Lambda.
package main

import (
	"net/http"
	"time"

	scim "github.com/bookplate/bookplate/functions/directory"
	"github.com/bookplate/bookplate/infra/cloud"
	"github.com/bookplate/bookplate/infra/lambda"
	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/assign"
	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/queue/sqs"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
)

// timeout outlasts any run of the function (template.yaml: 29 s): what one has left half done is looked at after that.
const timeout = time.Minute

func main() {
	lambda.ServeHTTP(func(p lambda.Process) (http.Handler, error) {
		aws := cloud.Config(p)
		store := table.NewStore(dynamo.New(aws, p.Env.Text(setting.Table), p.World.Clock), p.World)
		queue := sqs.New(aws, p.Env.Text(setting.Queue), p.World.Clock)
		announcer := assign.Announcer{Store: store, World: p.World, Queue: queue, Timeout: timeout}
		gate := auth.Gate{Verify: p.IdentityProvider()}
		return scim.New(scim.Config{
			Directory: directory.New(store, p.World, announcer), Clock: p.World.Clock, Log: p.Log,
			BaseURL: p.ScimURL(),
			Verify: func(r *http.Request) error {
				_, err := gate.Check(auth.IdentityProvider, r)
				return err
			},
		})
	})
}
