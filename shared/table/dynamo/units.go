package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/bookplate/bookplate/shared/table"
)

// What DynamoDB says that a call consumed is what is paid, so it is what is reported. Where it says nothing (a condition
// that failed), the port's rules are applied to what is known. The tests hold both against each other.

func readUnits(c *types.ConsumedCapacity) table.Units {
	if c == nil {
		return table.Units{}
	}
	return table.Units{Read: orZero(c.CapacityUnits)}
}

func singleUnits(c *types.ConsumedCapacity) table.Units {
	if c == nil {
		return table.Units{}
	}
	return writeUnits(*c)
}

// writeUnits: a transaction that was repeated with its token only reads, and says so.
func writeUnits(list ...types.ConsumedCapacity) table.Units {
	var sum table.Units
	for _, c := range list {
		if c.ReadCapacityUnits == nil && c.WriteCapacityUnits == nil {
			sum.Write += orZero(c.CapacityUnits)
			continue
		}
		sum = sum.Add(table.Units{Read: orZero(c.ReadCapacityUnits), Write: orZero(c.WriteCapacityUnits)})
	}
	return sum
}

func orZero(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}
