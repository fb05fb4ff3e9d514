/**
 * Reading and writing of safetensors files, the format in which tensors, state and checkpoints are
 * kept.
 *
 * <p>A file is an 8-byte little-endian header length, a JSON header and the raw row-major,
 * little-endian data (<a href="https://huggingface.co/docs/safetensors">format description</a>).
 * Files written here are readable by every other implementation and the other way round, for the
 * data types of {@link io.github.kfac4j.safetensors.DType}.
 */
package io.github.kfac4j.safetensors;
