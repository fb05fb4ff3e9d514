/**
 * What one backend holds of a device: its stream, handles, memory and buffers, and the statuses of
 * its calls.
 */
package io.github.kfac4j.cuda.context;
