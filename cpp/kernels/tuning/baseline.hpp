// x86-64-v2 or plain ARMv8: 16 vector registers of 16 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 16;
constexpr int kNarrowBytes = kVectorBytes;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 4;
constexpr int kTileVectors = 2;

// Steps that are packed together, bytes of the packed panels that are walked together, and steps of a tile before the
// next panel has its turn: so many that its rows of A stay in the first-level cache.
constexpr int kBlockSteps = 512;
constexpr int kBlockBytes = 131072;
constexpr int kTileSteps = 256;

}  // namespace nnative::tuning
