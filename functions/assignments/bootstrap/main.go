// Command bootstrap runs functions/assignments on AWS Lambda.
package main

import (
	"net/http"

	"github.com/bookplate/bookplate/functions/assignments"
	"github.com/bookplate/bookplate/infra/cloud"
	"github.com/bookplate/bookplate/infra/lambda"
	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/queue/sqs"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
)

func main() {
	lambda.ServeHTTP(func(p lambda.Process) (http.Handler, error) {
		aws := cloud.Config(p)
		store := table.NewStore(dynamo.New(aws, p.Env.Text(setting.Table), p.World.Clock), p.World)
		return assignments.New(assignments.Config{
			Config: p.Door(), Store: store, Directory: directory.NewReader(store.ReadStore),
			Queue: sqs.New(aws, p.Env.Text(setting.Queue), p.World.Clock),
			Hold:  p.Env.Duration(setting.Hold), Federated: p.Env.List(setting.FederatedDomains),
			ApprovalAbove: p.Env.Count(setting.ApprovalAbove), SelfApproval: p.Env.Switch(setting.SelfApproval),
		}), nil
	})
}
