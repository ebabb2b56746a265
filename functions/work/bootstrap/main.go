// Command bootstrap runs functions/work on AWS Lambda. It can read secrets, and write none.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bookplate/bookplate/functions/work"
	"github.com/bookplate/bookplate/infra/cloud"
	"github.com/bookplate/bookplate/infra/lambda"
	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/location"
	"github.com/bookplate/bookplate/shared/queue/sqs"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
	"github.com/bookplate/bookplate/shared/vault/secretsmanager"
)

type handle = func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

func main() {
	lambda.ServeEvents(func(p lambda.Process) (handle, error) {
		aws := cloud.Config(p)
		store := table.NewStore(dynamo.New(aws, p.Env.Text(setting.Table), p.World.Clock), p.World)
		worker := location.Worker{
			Store: store, World: p.World, Vault: secretsmanager.NewReader(aws, p.Env.SecretPrefix()), Service: p.Apple(),
			Directory: directory.NewReader(store.ReadStore), Queue: sqs.New(aws, p.Env.Text(setting.Queue), p.World.Clock),
			Log: p.Log, Federated: p.Env.List(setting.FederatedDomains), Pace: p.Pace(),
			Restored: p.Restored(),
			Budget:   location.DefaultBudget, Chunk: location.DefaultChunk,
		}
		return work.Handler{Work: worker.Work, Log: p.Log}.Handle, nil
	})
}
