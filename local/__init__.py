"""The application on one's own machine: under the Lambda emulator (`run`) and behind a web server (`serve`)."""
