#include "tests/server/store/postgres_medium.h"
#include "tests/server/store_conformance/store_conformance.h"

namespace waymark::hub {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Postgres, StoreConformance,
    ::testing::Values(StoreBackend{"postgres", [] { return std::make_unique<PostgresMedium>(); }}),
    [](const ::testing::TestParamInfo<StoreBackend>& backend) { return backend.param.name; });

}  // namespace
}  // namespace waymark::hub
