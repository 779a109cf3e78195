#include "client/directory/shared_map.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;

using Map = SharedMap<std::string, int>;
using Writer = SharedMapWriter<std::string, int>;

std::vector<std::string> KeysOf(const Map& map) {
  std::vector<std::string> keys;
  map.ForEach([&](const std::string& key, int) { keys.push_back(key); });
  return keys;
}

std::string Key(size_t number) { return std::to_string(1'000'000 + number); }

TEST(SharedMapTest, KeepsOrderAndFindsAlsoByView) {
  Writer writer;
  for (const char* key : {"c", "a", "b"}) writer.Put(key, key[0]);
  const Map map = writer.Share();
  EXPECT_THAT(KeysOf(map), ElementsAre("a", "b", "c"));
  ASSERT_NE(map.Find(std::string_view("b")), nullptr);
  EXPECT_EQ(*map.Find(std::string_view("b")), 'b');
  EXPECT_EQ(map.Find(std::string_view("d")), nullptr);
  EXPECT_EQ(Map().Find(std::string_view("d")), nullptr);
}

TEST(SharedMapTest, AStateThatWasSharedNeverChanges) {
  Writer writer;
  writer.Put("a", 1);
  writer.Put("b", 1);
  const Map before = writer.Share();
  writer.Put("a", 2);
  writer.Put("c", 2);
  writer.Erase("b");
  EXPECT_THAT(KeysOf(before), ElementsAre("a", "b"));
  EXPECT_EQ(*before.Find("a"), 1);
  EXPECT_THAT(KeysOf(writer.Share()), ElementsAre("a", "c"));
}

TEST(SharedMapTest, VisitsFromAKeyOnAndStopsWhereItIsTold) {
  Writer writer;
  for (size_t i = 0; i < 1000; ++i) writer.Put(Key(2 * i), 0);
  std::vector<std::string> visited;
  writer.Share().ForEachFrom(Key(501), [&](const std::string& key, int) {
    visited.push_back(key);
    return visited.size() < 3;
  });
  EXPECT_THAT(visited, ElementsAre(Key(502), Key(504), Key(506)));
}

// Against std::map, with states of all ages kept and compared at the end.
TEST(SharedMapTest, IsTheSameAsAnOrdinaryMapThroughAnyChanges) {
  std::mt19937 engine(7);
  Writer writer;
  std::map<std::string, int> model;
  std::vector<std::pair<Map, std::map<std::string, int>>> states;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key = Key(engine() % 500);
    if (engine() % 3 == 0) {
      writer.Erase(key);
      model.erase(key);
    } else {
      writer.Put(key, step);
      model[key] = step;
    }
    ASSERT_EQ(writer.size(), model.size());
    if (step % 400 == 0) states.emplace_back(writer.Share(), model);
  }
  for (const auto& [map, expected] : states) {
    std::map<std::string, int> content;
    map.ForEach([&](const std::string& key, int value) { content[key] = value; });
    EXPECT_EQ(content, expected);
    EXPECT_EQ(map.size(), expected.size());
  }
}

TEST(SharedMapTest, FillingCopiesNothing) {
  Writer writer;
  for (size_t i = 0; i < 20'000; ++i) writer.Put(Key(i), 0);
  EXPECT_EQ(writer.copied(), 0u);
}

// What one change copies grows with the logarithm: the height of a balanced tree is at most 1.44
// times it, and a rotation copies one or two nodes beside the path.
TEST(SharedMapTest, AChangeCopiesThePathToItAndNoMore) {
  for (const auto& [size, most] :
       {std::pair<size_t, size_t>(1'000, 17), std::pair<size_t, size_t>(20'000, 23)}) {
    Writer writer;
    for (size_t i = 0; i < size; ++i) writer.Put(Key(2 * i), 0);
    std::mt19937 engine(7);
    for (int round = 0; round < 1'000; ++round) {
      const Map reader = writer.Share();
      const size_t before = writer.copied();
      const std::string key = Key(engine() % (2 * size));
      round % 3 == 0 ? writer.Erase(key) : writer.Put(key, round);
      EXPECT_LE(writer.copied() - before, most) << size;
    }
  }
}

}  // namespace
}  // namespace waymark::node
