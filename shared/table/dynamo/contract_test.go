//go:build aws

package dynamo_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
	"github.com/bookplate/bookplate/shared/table/tabletest"
	"github.com/bookplate/bookplate/shared/world"
)

// open returns the engine on a table of the template's.
func open(t *testing.T, cfg aws.Config, clock world.Clock) *dynamo.Table {
	t.Helper()
	const name = "bookplate-test"
	emulators.Table(t, cfg, name)
	return dynamo.New(cfg, name, clock)
}

func TestContractOnDynamoDBLocal(t *testing.T) {
	engine := open(t, emulators.DynamoDBLocal(t), world.Real())
	tabletest.Run(t, func(*testing.T) table.Engine { return engine },
		// In transactions it takes checks for free, deletes of nothing for half, and doubles index entries; in a batch it
		// counts a delete too much. Dynoxide is right, and is held to these.
		"a transaction costs double", "also when there is nothing to delete",
		"and no more in a transaction", "bulk writes cost what single ones do",
	)
}

func TestContractOnDynoxide(t *testing.T) {
	engine := open(t, emulators.Dynoxide(t), world.Real())
	tabletest.Run(t, func(*testing.T) table.Engine { return engine })
}
