// The floating-point mode that kernels run in.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace nnative {

// For its lifetime: denormals (operands and results) are zero, rounding is to nearest, nothing traps. The mode is set
// whole, not amended, so that every member of a team computes alike whatever its caller had; that comes back at the
// end.
class KernelFloatMode {
 public:
  KernelFloatMode() : saved_(get()) { set(kMode); }
  ~KernelFloatMode() { set(saved_); }
  KernelFloatMode(const KernelFloatMode&) = delete;
  KernelFloatMode& operator=(const KernelFloatMode&) = delete;

 private:
#if defined(__x86_64__)
  using Word = unsigned;
  static constexpr Word kMode = 0x1f80u | 0x8040u;  // all exceptions masked; flush to zero, denormals are zero
  static Word get() { return _mm_getcsr(); }
  static void set(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  static constexpr Word kMode = std::uint64_t{1} << 24;  // FPCR.FZ
  static Word get() {
    Word word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void set(Word word) { asm volatile("msr fpcr, %0" ::"r"(word)); }
#else
  using Word = int;
  static constexpr Word kMode = 0;
  static Word get() { return 0; }
  static void set(Word) {}
#endif
  Word saved_;
};

}  // namespace nnative
