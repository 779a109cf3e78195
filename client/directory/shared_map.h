// An ordered map of which old states stay readable at no cost: what snapshots are made of.
//
// SharedMapWriter changes the present state; SharedMap is one state, which never changes. Both are
// the same balanced tree: after Share, the writer copies a node before it changes it, so one change
// copies the path from the root to it, some log2(size) nodes, and shares the rest. Nodes made since
// the last Share belong to the writer alone and are changed where they are, so that filling a map
// costs no copies.
//
// Not for maps without readers of old states: std::map does the same with less.
//
// Threads: a SharedMap is immutable, hence thread-safe. A writer belongs to one thread at a time;
// handing a SharedMap to another thread needs the usual synchronisation (a mutex, say).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace waymark::node {

template <typename Key, typename Value>
class SharedMapWriter;

template <typename Key, typename Value>
class SharedMap {
 public:
  SharedMap() = default;

  size_t size() const { return size_; }

  // The value of the key, or nullptr. It lives as long as a map that has it. `Like` is the key or
  // compares with it.
  template <typename Like>
  const Value* Find(const Like& key) const {
    for (const Node* node = root_.get(); node != nullptr;) {
      if (key < node->key) {
        node = node->left.get();
      } else if (node->key < key) {
        node = node->right.get();
      } else {
        return &node->value;
      }
    }
    return nullptr;
  }

  // Calls visit(key, value) in order of key.
  template <typename Visit>
  void ForEach(Visit visit) const {
    VisitAll(root_.get(), visit);
  }

  // The same from the first key on that is not less than `first`, until visit returns false.
  template <typename Like, typename Visit>
  void ForEachFrom(const Like& first, Visit visit) const {
    VisitFrom(root_.get(), first, visit);
  }

 private:
  friend class SharedMapWriter<Key, Value>;

  struct Node;
  // Shared by every state of the map that has the node.
  using Link = std::shared_ptr<Node>;
  struct Node {
    Key key;
    Value value;
    uint64_t edition;
    int height = 1;
    Link left;
    Link right;
  };

  template <typename Visit>
  static void VisitAll(const Node* node, Visit& visit) {
    if (node == nullptr) return;
    VisitAll(node->left.get(), visit);
    visit(node->key, node->value);
    VisitAll(node->right.get(), visit);
  }

  template <typename Like, typename Visit>
  static bool VisitFrom(const Node* node, const Like& first, Visit& visit) {
    if (node == nullptr) return true;
    if (node->key < first) return VisitFrom(node->right.get(), first, visit);
    return VisitFrom(node->left.get(), first, visit) && visit(node->key, node->value) &&
           VisitFrom(node->right.get(), first, visit);
  }

  Link root_;
  size_t size_ = 0;
};

template <typename Key, typename Value>
class SharedMapWriter {
 public:
  SharedMapWriter() = default;
  SharedMapWriter(const SharedMapWriter&) = delete;
  SharedMapWriter& operator=(const SharedMapWriter&) = delete;

  // See SharedMap. What they return lives until the next change.
  size_t size() const { return present_.size(); }
  template <typename Like>
  const Value* Find(const Like& key) const {
    return present_.Find(key);
  }

  // Sets the value of the key.
  void Put(Key key, Value value) { PutAt(present_.root_, std::move(key), std::move(value)); }

  // Removes the key, if it is there.
  void Erase(const Key& key) {
    if (Find(key) == nullptr) return;
    EraseAt(present_.root_, key);
    --present_.size_;
  }

  // The present state, which later changes leave as it is.
  SharedMap<Key, Value> Share() {
    ++edition_;
    return present_;
  }

  // How many nodes were copied so far because an older state has them too.
  size_t copied() const { return copied_; }

 private:
  using Node = typename SharedMap<Key, Value>::Node;
  using Link = typename SharedMap<Key, Value>::Link;

  // Makes the node at `link` one that may be changed.
  Node& Own(Link& link) {
    if (link->edition != edition_) {
      link = std::make_shared<Node>(*link);
      link->edition = edition_;
      ++copied_;
    }
    return *link;
  }

  void PutAt(Link& link, Key key, Value value) {
    if (link == nullptr) {
      link = std::make_shared<Node>(Node{std::move(key), std::move(value), edition_});
      ++present_.size_;
      return;
    }
    Node& node = Own(link);
    if (key < node.key) {
      PutAt(node.left, std::move(key), std::move(value));
    } else if (node.key < key) {
      PutAt(node.right, std::move(key), std::move(value));
    } else {
      node.value = std::move(value);
      return;
    }
    Balance(link);
  }

  // The key is there.
  void EraseAt(Link& link, const Key& key) {
    Node& node = Own(link);
    if (key < node.key) {
      EraseAt(node.left, key);
    } else if (node.key < key) {
      EraseAt(node.right, key);
    } else if (node.left == nullptr || node.right == nullptr) {
      link = Link(node.left == nullptr ? node.right : node.left);
      return;
    } else {
      TakeLast(node.left, node);
    }
    Balance(link);
  }

  // Moves the last entry under `link` into `target`.
  void TakeLast(Link& link, Node& target) {
    Node& node = Own(link);
    if (node.right == nullptr) {
      target.key = std::move(node.key);
      target.value = std::move(node.value);
      link = Link(node.left);
      return;
    }
    TakeLast(node.right, target);
    Balance(link);
  }

  static int HeightOf(const Link& link) { return link == nullptr ? 0 : link->height; }
  static void Measure(Node& node) {
    node.height = 1 + std::max(HeightOf(node.left), HeightOf(node.right));
  }

  // Restores that the two sides of an owned node differ by one level at most.
  void Balance(Link& link) {
    const int lean = HeightOf(link->left) - HeightOf(link->right);
    if (lean > 1) {
      const Node& left = Own(link->left);
      if (HeightOf(left.left) < HeightOf(left.right)) Rotate(link->left, &Node::right, &Node::left);
      Rotate(link, &Node::left, &Node::right);
    } else if (lean < -1) {
      const Node& right = Own(link->right);
      if (HeightOf(right.right) < HeightOf(right.left)) {
        Rotate(link->right, &Node::left, &Node::right);
      }
      Rotate(link, &Node::right, &Node::left);
    } else {
      Measure(*link);
    }
  }

  // Lifts the child on the side `up` of an owned node into its place.
  void Rotate(Link& link, Link Node::*up, Link Node::*down) {
    Own((*link).*up);
    Link lifted = std::move((*link).*up);
    (*link).*up = std::move((*lifted).*down);
    Measure(*link);
    (*lifted).*down = std::move(link);
    Measure(*lifted);
    link = std::move(lifted);
  }

  SharedMap<Key, Value> present_;
  uint64_t edition_ = 0;
  size_t copied_ = 0;
};

}  // namespace waymark::node
