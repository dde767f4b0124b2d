// The beginning, for those who listen.

const { fire, application } = part("core");

return {
  tell(sessionId, accessURL, accessSecureURL) {
    fire(application, "Application.Started", {
      sessionId, accountId: 0, applicationId: 0, logURL: "", accessURL, accessSecureURL, userId: 0,
    });
  },
};
