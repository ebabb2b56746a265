// Command bootstrap runs functions/schedule on AWS Lambda.
package main

import (
	"context"

	"github.com/bookplate/bookplate/functions/schedule"
	"github.com/bookplate/bookplate/infra/cloud"
	"github.com/bookplate/bookplate/infra/lambda"
	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/queue/sqs"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
)

func main() {
	lambda.ServeEvents(func(p lambda.Process) (func(context.Context, schedule.Event) (struct{}, error), error) {
		aws := cloud.Config(p)
		h := schedule.Handler{
			Store: table.NewStore(dynamo.New(aws, p.Env.Text(setting.Table), p.World.Clock), p.World),
			World: p.World, Queue: sqs.New(aws, p.Env.Text(setting.Queue), p.World.Clock), Log: p.Log,
		}
		return func(ctx context.Context, e schedule.Event) (struct{}, error) {
			return struct{}{}, h.Handle(ctx, e)
		}, nil
	})
}
