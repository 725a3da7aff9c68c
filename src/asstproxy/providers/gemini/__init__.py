"""Google's Gemini: generateContent and the Interactions API."""
