//! Shortening and lengthening of speech.
