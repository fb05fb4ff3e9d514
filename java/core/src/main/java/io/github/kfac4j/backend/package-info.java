/**
 * The backend SPI: matrices a backend owns, requests to its batched verbs, and the way backends are
 * found. A trainer needs from here only {@link io.github.kfac4j.backend.Backends}.
 */
package io.github.kfac4j.backend;
