// SPDX-License-Identifier: Apache-2.0
// Extents, strides or axes: a short vector of integers whose usual length needs no memory of its own.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <utility>

namespace penstock {

/// A std::vector<std::int64_t> in what it does, with room for kInline entries inside.
class Dims {
 public:
  static constexpr std::size_t kInline = 6;

  using value_type = std::int64_t;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = std::int64_t&;
  using const_reference = const std::int64_t&;
  using iterator = std::int64_t*;
  using const_iterator = const std::int64_t*;

  Dims() = default;
  explicit Dims(std::size_t n, std::int64_t value = 0) { resize(n, value); }
  Dims(std::initializer_list<std::int64_t> values) : Dims(values.begin(), values.end()) {}
  Dims(const Dims& other) : size_(other.size_), inside_(other.inside_) {
    if (other.outside_ != nullptr) copy_outside(other);
  }
  Dims& operator=(const Dims& other) {
    if (this != &other) *this = Dims(other);
    return *this;
  }
  Dims(Dims&& other) noexcept
      : size_(std::exchange(other.size_, 0)), inside_(other.inside_), outside_(std::move(other.outside_)) {}
  Dims& operator=(Dims&& other) noexcept {
    size_ = std::exchange(other.size_, 0);
    inside_ = other.inside_;
    outside_ = std::move(other.outside_);
    return *this;
  }
  ~Dims() = default;
  template <std::input_iterator It>
  Dims(It first, It last) {
    for (; first != last; ++first) push_back(static_cast<std::int64_t>(*first));
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::int64_t* data() { return outside_ == nullptr ? inside_.data() : outside_.get(); }
  const std::int64_t* data() const { return outside_ == nullptr ? inside_.data() : outside_.get(); }
  iterator begin() { return data(); }
  iterator end() { return data() + size_; }
  const_iterator begin() const { return data(); }
  const_iterator end() const { return data() + size_; }
  auto rbegin() const { return std::make_reverse_iterator(end()); }
  auto rend() const { return std::make_reverse_iterator(begin()); }
  std::int64_t& operator[](std::size_t i) { return data()[i]; }
  std::int64_t operator[](std::size_t i) const { return data()[i]; }
  std::int64_t& front() { return *begin(); }
  std::int64_t front() const { return *begin(); }
  std::int64_t& back() { return end()[-1]; }
  std::int64_t back() const { return end()[-1]; }

  void push_back(std::int64_t value) {
    if (size_ < kInline)
      inside_[size_++] = value;
    else
      resize(size_ + 1, value);
  }
  void pop_back() { resize(size_ - 1); }
  void clear() { resize(0); }
  void resize(std::size_t n, std::int64_t value = 0) {
    const std::size_t kept = std::min(n, size_);
    if (n > kInline) {
      auto larger = std::make_unique<std::int64_t[]>(n);
      std::copy_n(data(), kept, larger.get());
      outside_ = std::move(larger);
    } else if (outside_ != nullptr) {
      std::copy_n(outside_.get(), kept, inside_.data());
      outside_.reset();
    }
    std::fill(data() + kept, data() + n, value);
    size_ = n;
  }
  iterator insert(const_iterator before, std::int64_t value) { return insert(before, &value, &value + 1); }
  template <std::input_iterator It>
  iterator insert(const_iterator before, It first, It last) {
    const std::ptrdiff_t at = before - begin();
    const auto size = static_cast<std::ptrdiff_t>(size_);
    for (; first != last; ++first) push_back(static_cast<std::int64_t>(*first));
    std::rotate(begin() + at, begin() + size, end());
    return begin() + at;
  }
  iterator erase(const_iterator which) {
    const std::ptrdiff_t at = which - begin();
    std::copy(begin() + at + 1, end(), begin() + at);
    pop_back();
    return begin() + at;
  }

  /// A loop of its own: a call of memcmp takes longer than the few entries.
  bool operator==(const Dims& other) const {
    if (size_ != other.size_) return false;
    const std::int64_t* a = data();
    const std::int64_t* b = other.data();
    std::int64_t different = 0;
    for (std::size_t i = 0; i < size_; ++i) different |= a[i] ^ b[i];
    return different == 0;
  }
  auto operator<=>(const Dims& other) const {
    return std::lexicographical_compare_three_way(begin(), end(), other.begin(), other.end());
  }

 private:
  void copy_outside(const Dims& other) {
    outside_ = std::make_unique<std::int64_t[]>(size_);
    std::copy_n(other.outside_.get(), size_, outside_.get());
  }

  std::size_t size_ = 0;
  std::array<std::int64_t, kInline> inside_{};
  std::unique_ptr<std::int64_t[]> outside_;  // all entries, where they are too many for inside_
};

}  // namespace penstock
