package mem_test

import (
	"testing"

	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/mem"
	"github.com/bookplate/bookplate/shared/table/tabletest"
	"github.com/bookplate/bookplate/shared/world"
)

func TestContract(t *testing.T) {
	tabletest.Run(t, func(*testing.T) table.Engine { return mem.New(world.Real()) })
}

func TestContractWithEveryLeak(t *testing.T) {
	for seed := range uint64(5) {
		tabletest.Run(t, func(*testing.T) table.Engine {
			v := world.NewVirtual(seed, start)
			m := mem.New(world.Real())
			m.SetFaults(mem.Faults{
				Chance: v.IntN, IndexLagOps: 4, ShortPagesOneIn: 2, ConflictOneIn: 3, LeaveOneIn: 3,
			})
			return m
		})
	}
}
